import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../infra/instance/json-file.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { LAYOUT_VERSION } from '../../infra/instance/version-stamp.ts';
import type { Finding } from './finding.ts';

const GIBIBYTE = 1024 ** 3;
const NEEDED_BYTES = 0.5 * GIBIBYTE;
const COMFORTABLE_BYTES = 4 * GIBIBYTE;
const OTHERS = 0o077;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 7)) return { result: 'ok', what: 'Node', text: version };
  return {
    result: 'fail',
    what: 'Node',
    text: `${version} is too old`,
    advice: 'Use Node 24.7 or newer, or run npm ci, which brings one.',
  };
}

/** Whether the data directory exists, or can be made, and is not of a newer version. */
export function checkDataDirectory(layout: InstanceLayout): Finding {
  const what = 'data directory';
  const existing = nearestExisting(layout.dataDir);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    return {
      result: 'fail',
      what,
      text: `${existing} cannot be written`,
      advice: 'Choose another with --data-dir, or change its permissions.',
    };
  }
  const stamp = readJsonFile(layout.versionFile, z.object({ layout: z.int() }));
  if (stamp.kind === 'damaged')
    return {
      result: 'fail',
      what,
      text: `${layout.versionFile}: ${stamp.reason}`,
      advice: 'Restore the file from a backup.',
    };
  if (stamp.kind === 'value' && stamp.value.layout > LAYOUT_VERSION) {
    return {
      result: 'fail',
      what,
      text: `${layout.dataDir} is of a newer Recollect`,
      advice: 'Use that version, or another --data-dir.',
    };
  }
  return { result: 'ok', what, text: stamp.kind === 'absent' ? `${layout.dataDir} will be made` : layout.dataDir };
}

/** Whether secrets are readable by their owner only. */
export function checkCredentialFiles(layout: InstanceLayout): Finding {
  const what = 'secrets';
  const files = [layout.secretsFile, layout.credentialsFile].filter((file) => existsSync(file));
  const open = files.filter((file) => (statSync(file).mode & OTHERS) !== 0);
  if (open.length > 0)
    return { result: 'warn', what, text: `others can read ${open.join(', ')}`, advice: `chmod 600 ${open.join(' ')}` };
  return { result: 'ok', what, text: files.length === 0 ? 'will be made at the first start' : 'readable by you only' };
}

/** Space on the disk of the data directory. */
export function checkDiskSpace(folder: string, availableBytes: (existing: string) => number = bytesAvailable): Finding {
  const bytes = availableBytes(nearestExisting(folder));
  const finding = { what: 'disk space', text: `${(bytes / GIBIBYTE).toFixed(1)} GiB free` };
  if (bytes < NEEDED_BYTES)
    return { ...finding, result: 'fail', advice: 'Free at least 0.5 GiB, or choose another --data-dir.' };
  if (bytes < COMFORTABLE_BYTES)
    return { ...finding, result: 'warn', advice: 'Enough to start; 4 GiB leave room to build engines and to grow.' };
  return { ...finding, result: 'ok' };
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
