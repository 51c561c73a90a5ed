import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

const FLUSHES = 200;

/** What the figures were measured on, in a few lines of Markdown. */
export function describeMachine(): string {
  const processors = cpus();
  const flush = flushMilliseconds();
  return [
    `- ${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${platform()} ${release()} ${arch()}`,
    `- ${processors.length} × ${processors[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `- one flush of 16 kB (\`fdatasync\`) before the run: ${flush.toFixed(2)} ms in the median`,
    `- load average before the run: ${loadavg()[0]?.toFixed(1) ?? ''}; on a machine that does nothing else it is near 0`,
  ].join('\n');
}

function flushMilliseconds(): number {
  const directory = mkdtempSync(join(tmpdir(), 'statehouse-bench-'));
  const file = openSync(join(directory, 'flush'), 'w');
  const page = Buffer.alloc(16_384);
  const took = Array.from({ length: FLUSHES }, () => {
    writeSync(file, page);
    const began = performance.now();
    fdatasyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return took.sort((a, b) => a - b)[FLUSHES / 2] ?? 0;
}
