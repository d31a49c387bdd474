import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isSystemError } from '../../instance/json-file.ts';
import { endLeftovers } from '../../supervisor/leftovers.ts';
import { identifyProcess } from '../../supervisor/process-identity.ts';

/**
 * Cleans up after a killed PostgreSQL: ends a server that still runs on the folder, and removes a lock file whose process id belongs to
 * another program, which would prevent the start.
 */
export async function clearStalePostmaster(folder: string): Promise<void> {
  const lockFile = path.join(folder, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number(readFileSync(lockFile, 'utf8').split('\n')[0]);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const identity = Number.isInteger(pid) && pid > 0 ? identifyProcess(pid) : null;
  if (identity !== null && worksIn(pid, folder)) {
    await endLeftovers([{ ...identity, name: 'postgres', stopSignal: 'SIGINT' }]);
    return;
  }
  rmSync(lockFile, { force: true });
}

/** Returns true for a PostgreSQL of this folder, which is its working directory. */
function worksIn(pid: number, folder: string): boolean {
  const own = realpathSync(folder);
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === own;
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return command.includes('postgres') && (command.includes(folder) || command.includes(own));
  } catch {
    return false; // Ended, or of another user.
  }
}
