// Writes the pictures of docs/page: every view of the page, of a server with made-up people at work, in light and dark, wide and narrow.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import { chromium as driver } from 'playwright-core';
import { fill } from './made-up-house.mjs';
import { smallPng } from './small-png.mjs';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const OUT = fileURLToPath(new URL('../../docs/page/', import.meta.url));
const ADMIN = { id: 'SHSCREENSHOTS234', secret: 'screenshotsecretscreenshotsecret0123' };
const STATE = '/s/acme/net/vpc.tfstate@prod';
const SIZES = { wide: { width: 1200, height: 700 }, narrow: { width: 390, height: 720 } };

/** What is shown: the name of the picture, the path, and what is awaited there. */
const VIEWS = [
  ['now', '/', '.lock-row.waiter'],
  ['state', STATE, '.bars li'],
  ['history', `${STATE}?tab=history&from=11&to=12`, '.values li'],
  ['resources', `${STATE}?tab=resources`, '.tree-row'],
  ['connect', `${STATE}?tab=connect`, 'pre'],
  ['explore', '/explore', '.state-row'],
  ['found', '/explore?by=type&q=aws_nat_gateway', '.found-row'],
  ['readers', `${STATE}?tab=readers`, '.picture'],
  ['activity', '/activity', '.audit-row'],
  ['numbers', '/numbers', '.panel'],
  ['credentials', '/credentials?on=acme/net/vpc.tfstate@prod', '.matrix'],
  ['projects', '/projects', '.data'],
  ['settings', '/settings', '.facts'],
];

/** What is shown over a view: the name of the picture, the path, the button that opens it, and a field in it. */
const DIALOGS = [
  ['break-in', '/', 'Break in…', 'Type the key'],
  ['new-credential', '/credentials', 'New credential', 'Name'],
  ['change-credential', '/credentials', 'Change ci-prod', 'With the state'],
  ['project', '/projects', 'Change acme', 'Versions to keep'],
  ['freeze', '/projects', 'Freeze applies…', 'Why'],
];

const only = process.argv[2] ?? '';
const home = mkdtempSync(join(tmpdir(), 'statehouse-screenshots-'));
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const server = spawn(
  process.execPath,
  [
    MAIN,
    'serve',
    '--json',
    `--listen=127.0.0.1:${port}`,
    `--data=${join(home, 'data')}`,
    '--log-level=error',
  ],
  {
    env: { ...process.env, STATEHOUSE_ADMIN_CREDENTIAL: `${ADMIN.id}.${ADMIN.secret}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
try {
  await once(server.stdout, 'data');
  const leave = await fill(url, ADMIN);
  const browser = await driver.launch({
    executablePath: await chromium.executablePath(),
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
  });
  try {
    mkdirSync(OUT, { recursive: true });
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const colorScheme of ['light', 'dark']) await shootAll(browser, { size, viewport, colorScheme });
    }
  } finally {
    await browser.close();
    leave();
  }
} finally {
  server.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}

async function shootAll(browser, { size, viewport, colorScheme }) {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => process.stderr.write(`${error.stack}\n`));
  page.on('console', (message) => {
    if (message.type() === 'error') process.stderr.write(`${message.text()}\n`);
  });
  const shoot = async (name) => {
    if (!name.includes(only)) return;
    process.stderr.write(`${name}, ${size}, ${colorScheme}\n`);
    const picture = smallPng(await page.screenshot());
    writeFileSync(join(OUT, `${name}-${size}-${colorScheme}.png`), picture);
  };
  await page.goto(url);
  await page.getByLabel('Credential').waitFor();
  await shoot('sign-in');
  await page.getByLabel('Credential').fill(`${ADMIN.id}.${ADMIN.secret}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Now' }).waitFor();
  for (const [name, path, awaited] of VIEWS) {
    if (!name.includes(only)) continue;
    await page.goto(url + path);
    await page.locator(awaited).first().waitFor();
    // Counts that are read one after the other, and rows that are still moving.
    await page.waitForTimeout(700);
    await shoot(name);
  }
  for (const [name, path, button, awaited] of DIALOGS) {
    if (!name.includes(only)) continue;
    await page.goto(url + path);
    await page.getByRole('button', { name: button }).first().click();
    await page.getByLabel(awaited).first().waitFor();
    await page.waitForTimeout(400);
    await shoot(name);
  }
  await context.close();
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}
