import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import { isSystemError } from '../../infra/instance/json-file.ts';
import { InstallError } from './install-error.ts';
import { parseJsonText } from './json-text.ts';

/** Nobody writes so much by hand, and everything is held in memory. */
const MAX_BYTES = 4 * 1024 * 1024;
const NEW_FILE_MODE = 0o644;
const PRIVATE_MODE = 0o600;
const OWNER_MAY_WRITE = 0o200;
const LINKS = 40;

/** A settings file of an agent as it was read: what is written is compared with it again. */
export interface SettingsFile {
  /** The file itself, behind all links. */
  readonly file: string;
  readonly exists: boolean;
  /** `{}` and a line end where there is none. */
  readonly text: string;
  readonly mode: number;
}

/**
 * Reads a settings file through links and checks that it can be changed.
 * Throws InstallError when it is no JSON object, cannot be read or written, or is no file.
 */
export function readSettingsFile(given: string): SettingsFile {
  const file = behindLinks(path.resolve(given));
  let text: string;
  let mode: number;
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new InstallError('unusable-file', `${file} is no file.`);
    if (found.size > MAX_BYTES) throw new InstallError('unusable-file', `${file} is larger than ${MAX_BYTES} bytes.`);
    mode = found.mode & 0o777;
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { file, exists: false, text: '{}\n', mode: NEW_FILE_MODE };
    if (error instanceof InstallError) throw error;
    throw new InstallError('unusable-file', `${file} cannot be read.`, { cause: error });
  }
  if ((mode & OWNER_MAY_WRITE) === 0 || !mayWrite(file) || !mayWrite(path.dirname(file)))
    throw new InstallError('read-only', `${file} or its folder is read-only. Nothing was written.`);
  if (text.trim() === '') return { file, exists: true, text: '{}\n', mode };
  const parsed = parseJsonText(text);
  if (parsed.kind === 'broken')
    throw new InstallError('not-json', `${file} is not JSON (${parsed.reason}). Mend it first; nothing was written.`);
  if (parsed.root.kind !== 'object')
    throw new InstallError('wrong-shape', `${file} holds JSON that is no object. Nothing was written.`);
  return { file, exists: true, text, mode };
}

/** A link is followed by hand, because its target need not exist yet. */
function behindLinks(given: string): string {
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
  throw new InstallError('unusable-file', `${given} is a link that leads round in a circle.`);
}

function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the file holds now; null when it is not there. */
function textNow(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

export interface WriteOptions {
  /** The text holds a key: readable by its owner only from now on. */
  readonly isPrivate: boolean;
  readonly now: Date;
}

/**
 * Replaces the file in one step, after a copy of what was there was put beside it; answers that copy's path, null where there was no file.
 * Throws InstallError when somebody changed the file since it was read.
 */
export function writeSettingsFile(read: SettingsFile, text: string, options: WriteOptions): string | null {
  const before = textNow(read.file);
  if ((before === null) === read.exists || (before !== null && before.trim() !== '' && before !== read.text))
    throw new InstallError('changed-meanwhile', `${read.file} was changed meanwhile. Run it again.`);
  const backup = before === null ? null : backupPath(read.file, options.now);
  try {
    // The copy may hold the keys that the settings hold.
    if (backup !== null && before !== null) writeFileAtomic(backup, before, PRIVATE_MODE);
    writeFileAtomic(read.file, text, options.isPrivate ? PRIVATE_MODE : read.mode);
  } catch (error) {
    throw new InstallError('unusable-file', `${read.file} cannot be written; it is as it was.`, { cause: error });
  }
  return backup;
}

const BACKUP_MARK = '.recollect-backup-';

function backupPath(file: string, now: Date): string {
  const stamp = now.toISOString().replaceAll(/[-:.]/g, '');
  for (let copy = 0; ; copy += 1) {
    const candidate = `${file}${BACKUP_MARK}${stamp}${copy === 0 ? '' : `-${copy}`}`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** What the copies beside a settings file hold, the newest first. */
export function backupTexts(file: string): string[] {
  const folder = path.dirname(file);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(path.basename(file) + BACKUP_MARK))
    .sort()
    .reverse()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'));
}
