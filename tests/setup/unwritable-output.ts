import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Less than a test may take, so that a process that hangs is ended. */
const REPORT_MS = 60_000;

/** Runs a module whose every write to stdout fails, as on a full disk. Returns the first text that it writes to stderr. */
export async function reportWithUnwritableOutput(script: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-unwritable-'));
  const file = path.join(folder, 'log');
  writeFileSync(file, '');
  const unwritable = openSync(file, 'r');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', unwritable, 'pipe'],
  });
  try {
    const [report] = await once(child.stderr ?? child, 'data', { signal: AbortSignal.timeout(REPORT_MS) });
    return String(report);
  } finally {
    child.kill('SIGKILL');
    closeSync(unwritable);
    rmSync(folder, { recursive: true });
  }
}
