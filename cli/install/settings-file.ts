import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import { isSystemError } from '../../infra/instance/json-file.ts';
import { parseJsonText } from './json-text.ts';
import { InstallError } from './install-error.ts';

/** Bound of memory use; settings are small. */
const MAX_BYTES = 4 * 1024 * 1024;
const NEW_FILE_MODE = 0o644;
const PRIVATE_MODE = 0o600;
const OWNER_MAY_WRITE = 0o200;
const LINKS = 40;

/** A settings file as read; compared again before a write. */
export interface SettingsFile {
  /** Path with links resolved. */
  readonly file: string;
  readonly exists: boolean;
  /** `{}\n` for a missing or empty file. */
  readonly text: string;
  readonly mode: number;
}

/**
 * Reads a settings file through links and checks that it is writable.
 * @throws InstallError if it is not a JSON object, not a file, or cannot be read or written
 */
export function readSettingsFile(given: string): SettingsFile {
  const file = resolveLinks(path.resolve(given));
  let text: string;
  let mode: number;
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new InstallError('unusable-file', `${file} is not a file.`);
    if (found.size > MAX_BYTES) throw new InstallError('unusable-file', `${file} is larger than ${MAX_BYTES} bytes.`);
    mode = found.mode & 0o777;
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { file, exists: false, text: '{}\n', mode: NEW_FILE_MODE };
    if (error instanceof InstallError) throw error;
    throw new InstallError('unusable-file', `${file} is not readable.`, { cause: error });
  }
  if ((mode & OWNER_MAY_WRITE) === 0 || !mayWrite(file) || !mayWrite(path.dirname(file)))
    throw new InstallError('read-only', `${file} or its folder is read-only. Nothing was written.`);
  if (text.trim() === '') return { file, exists: true, text: '{}\n', mode };
  const parsed = parseJsonText(text);
  if (parsed.kind === 'broken')
    throw new InstallError('not-json', `${file} is not JSON (${parsed.reason}). Fix it first; nothing was written.`);
  if (parsed.root.kind !== 'object')
    throw new InstallError('wrong-shape', `${file} is not a JSON object. Nothing was written.`);
  return { file, exists: true, text, mode };
}

/** Resolves links; unlike realpath, allows a missing target. */
function resolveLinks(given: string): string {
  let file = given;
  for (let hops = 0; hops < LINKS; hops += 1) {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) {
      const folder = path.dirname(file);
      return existsSync(folder) ? path.join(realpathSync(folder), path.basename(file)) : file;
    }
    if (!found.isSymbolicLink()) return realpathSync(file);
    file = path.resolve(path.dirname(file), readlinkSync(file));
  }
  throw new InstallError('unusable-file', `${given} is a circular link.`);
}

function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the current text of a file; null if absent. */
function textNow(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

export interface WriteOptions {
  /** The text contains a key: written readable by the owner only. */
  readonly isPrivate: boolean;
  /** Text of the backup; null for none. */
  readonly backup: string | null;
  readonly now: Date;
}

/**
 * Replaces the file atomically after a backup beside it, of which the last three remain; returns the backup's path, null for none.
 * @throws InstallError if the file changed since it was read
 */
export function writeSettingsFile(read: SettingsFile, text: string, options: WriteOptions): string | null {
  const before = textNow(read.file);
  if ((before === null) === read.exists || (before !== null && before.trim() !== '' && before !== read.text))
    throw new InstallError('changed-meanwhile', `${read.file} changed in the meantime. Run the command again.`);
  const backup = options.backup === null ? null : backupPath(read.file, options.now);
  try {
    // The backup may contain other keys of the settings.
    if (backup !== null && options.backup !== null) writeFileAtomic(backup, options.backup, PRIVATE_MODE);
    writeFileAtomic(read.file, text, options.isPrivate ? PRIVATE_MODE : read.mode);
  } catch (error) {
    throw new InstallError('unusable-file', `${read.file} is not writable and is unchanged.`, { cause: error });
  }
  for (const older of backupFiles(read.file).slice(MAX_BACKUPS)) rmSync(older, { force: true });
  return backup;
}

const MAX_BACKUPS = 3;
const BACKUP_MARK = '.recollect-backup-';

function backupPath(file: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:.]/g, '');
  for (let copy = 0; ; copy += 1) {
    const candidate = `${file}${BACKUP_MARK}${stamp}${copy === 0 ? '' : `-${copy}`}`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** Returns the paths of a settings file's backups, newest first. */
export function backupFiles(file: string): string[] {
  const folder = path.dirname(file);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(path.basename(file) + BACKUP_MARK))
    .sort()
    .reverse()
    .map((name) => path.join(folder, name));
}
