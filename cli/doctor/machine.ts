import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { InstanceError } from '../../infra/instance/instance-error.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { copiedProgram } from '../../infra/instance/upgrade-copy.ts';
import { failedUpgradeOf, isThisProgram, newerThanThis, readVersionStamp } from '../../infra/instance/version-stamp.ts';
import type { VersionStamp } from '../../infra/instance/version-stamp.ts';
import type { Environment } from '../../config/process-environment.ts';
import { DEFAULT_PORTS, isPortFree, readSavedPorts } from '../../infra/instance/ports.ts';
import { findSupervisor } from '../../infra/supervisor/stop-instance.ts';
import { modelPlace } from '../../infra/bootstrap/model-files.ts';

/** Result of one check. `fail` prevents the start; `warn` does not. */
export interface Finding {
  readonly result: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly text: string;
  /** Remedy. */
  readonly advice?: string;
}

/** Returns the finding of a check, `advice` being its remedy. */
export function finding(result: Finding['result'], what: string, text: string, advice?: string): Finding {
  return { result, what, text, ...(advice === undefined ? {} : { advice }) };
}

const GIBIBYTE = 1024 ** 3;
const NEEDED_BYTES = 0.5 * GIBIBYTE;
const COMFORTABLE_BYTES = 4 * GIBIBYTE;
const OTHERS = 0o077;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 7)) return finding('ok', 'Node', version);
  return finding(
    'fail',
    'Node',
    `${version} is too old`,
    'Install Node 24.7 or newer; in a checkout, npm ci brings one.',
  );
}

/** Checks that the data directory exists or can be created, is not of a newer version, and that its last upgrade is complete. */
export function checkDataDirectory(layout: InstanceLayout): Finding {
  const what = 'data directory';
  const existing = nearestExisting(layout.dataDir);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return finding(
      'fail',
      what,
      `${existing} is not writable`,
      'Choose another with --data-dir, or change its permissions.',
    );
  }
  try {
    const stamp = readVersionStamp(layout.versionFile);
    const newer = stamp === null ? null : newerThanThis(stamp);
    if (newer !== null) {
      const text = `${layout.dataDir} was written by a newer version (${newer})`;
      return finding('fail', what, text, 'Use that version or another --data-dir.');
    }
    if (stamp === null) return finding('ok', what, `${layout.dataDir} will be created`);
    return checkUpgrade(layout, stamp) ?? finding('ok', what, layout.dataDir);
  } catch (error) {
    if (!(error instanceof InstanceError)) throw error;
    return finding('fail', what, error.message, 'Restore the file from a backup.');
  }
}

/** Returns what the last upgrade of a data directory left to do; null if nothing. */
function checkUpgrade(layout: InstanceLayout, stamp: VersionStamp): Finding | null {
  const copied = copiedProgram(layout);
  if (copied !== null && !isThisProgram(copied)) {
    const text = `The upgrade of ${layout.dataDir} from ${copied.version} is not complete.`;
    return finding('warn', 'upgrade', text, 'Unless it runs, recollect upgrade continues it.');
  }
  const failed = failedUpgradeOf(stamp);
  if (failed === null) return null;
  const advice = `${failed.remedy} ${layout.logs} has the logs of its start.`;
  return finding(failed.isOfThis ? 'fail' : 'warn', 'upgrade', failed.fault, advice);
}

/** Checks that only the owner can read the secrets. */
export function checkCredentialFiles(layout: InstanceLayout): Finding {
  const what = 'secrets';
  const files = [layout.secretsFile, layout.credentialsFile].filter((file) => existsSync(file));
  const open = files.filter((file) => (statSync(file).mode & OTHERS) !== 0);
  if (open.length > 0)
    return finding('warn', what, `other users can read ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`);
  return finding('ok', what, files.length === 0 ? 'created at the first start' : 'readable by the owner only');
}

/** Checks the free space on the disk of the data directory. */
export function checkDiskSpace(folder: string, availableBytes: (existing: string) => number = bytesAvailable): Finding {
  const bytes = availableBytes(nearestExisting(folder));
  const [what, text] = ['disk space', `${(bytes / GIBIBYTE).toFixed(1)} GiB free`];
  if (bytes < NEEDED_BYTES) return finding('fail', what, text, 'Free at least 0.5 GiB, or choose another --data-dir.');
  if (bytes < COMFORTABLE_BYTES)
    return finding('warn', what, text, 'Enough to start; building engines and growth need 4 GiB.');
  return finding('ok', what, text);
}

function bytesAvailable(folder: string): number {
  const disk = statfsSync(folder);
  return disk.bavail * disk.bsize;
}

function nearestExisting(folder: string): string {
  let current = folder;
  while (!existsSync(current) && path.dirname(current) !== current) current = path.dirname(current);
  return current;
}

/** Checks the files of the embedding model. Without them search is by keyword only. */
export function checkModelFiles(cacheDir: string, environment: Environment): Finding {
  const what = 'embedding model';
  const { preset, directory: folder } = modelPlace({ cacheDir, environment });
  const missing = Object.values(preset.files).filter(({ name, bytes }) => {
    const file = path.join(folder, name);
    return !existsSync(file) || statSync(file).size !== bytes;
  });
  if (missing.length === 0) return finding('ok', what, folder);
  const names = missing.map((file) => file.name).join(' and ');
  return finding(
    'warn',
    what,
    `${names} missing in ${folder}`,
    'The start downloads it; until then search is by keyword only.',
  );
}

/** Checks that the saved or default ports are free. A start replaces ports in use, so they only warn. */
export async function checkPorts(layout: InstanceLayout): Promise<Finding> {
  const what = 'ports';
  const running = findSupervisor(layout);
  if (running !== null) return finding('ok', what, `in use by this instance (process ${running.pid})`);
  const taken: string[] = [];
  for (const [name, port] of Object.entries({ ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) })) {
    if (!(await isPortFree(port))) taken.push(`${name} ${port}`);
  }
  if (taken.length === 0) return finding('ok', what, 'all free');
  return finding(
    'warn',
    what,
    `in use: ${taken.join(', ')}`,
    'The start uses free ports instead; update hooks that contain the old API port.',
  );
}
