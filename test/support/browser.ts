import { mkdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { chromium as driver, type Browser } from 'playwright-core';

/** The package ships a browser for this system alone. */
const HAS_BROWSER = process.platform === 'linux' && process.arch === 'x64';
const UNPACK_MS_MAX = 60_000;

/** Why tests of the page are skipped, said aloud; null where they run. */
export const NO_BROWSER: string | null = HAS_BROWSER
  ? null
  : `the browser of the tests is for Linux on x64, and this is ${process.platform} on ${process.arch}`;

/**
 * Starts the browser that a package ships. Its protections stay as those of any browser, except the sandbox of the operating
 * system, which containers do not allow.
 */
export async function startBrowser(): Promise<Browser> {
  return driver.launch({
    executablePath: await unpacked(),
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
    headless: true,
  });
}

/** The program, unpacked beside other temporary files once for all tests. One test waits while another unpacks it. */
async function unpacked(): Promise<string> {
  const turn = join(tmpdir(), 'statehouse-browser-turn');
  const until = Date.now() + UNPACK_MS_MAX;
  for (;;) {
    const mine = await mkdir(turn).then(
      () => true,
      () => false,
    );
    if (mine) break;
    const began = await stat(turn).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    // Whoever had the turn is gone.
    if (Date.now() - began > UNPACK_MS_MAX || Date.now() > until)
      await rm(turn, { recursive: true, force: true });
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  try {
    return await chromium.executablePath();
  } finally {
    await rm(turn, { recursive: true, force: true });
  }
}
