import { existsSync, readFileSync } from 'node:fs';
import { InstallError } from './install-error.ts';
import type { SettingsFile } from './settings-file.ts';

/** A file whose complete content the installation writes: a script or a plugin of the agent. */
export interface OwnedFile {
  readonly kind: 'owned';
  readonly file: string;
  readonly text: string;
  readonly mode: number;
  /** Number of hooks in it. */
  readonly hooks: number;
}

/** Words in the first lines of every such file. */
const MARK = 'Written by recollect install';
const MARK_CHARS = 200;

/** Returns the comment by which the installer recognises its file. */
export function ownMark(host: string): string {
  return `${MARK} ${host}; recollect uninstall ${host} removes it.`;
}

/** Reads the file. `isOwn`: the installer wrote it, or there is none. */
export function readOwnedFile({ file, mode }: OwnedFile): { readonly read: SettingsFile; readonly isOwn: boolean } {
  if (!existsSync(file)) return { read: { file, exists: false, text: '', mode }, isOwn: true };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InstallError('unusable-file', `${file} is not readable.`, { cause: error });
  }
  return { read: { file, exists: true, text, mode }, isOwn: text.slice(0, MARK_CHARS).includes(MARK) };
}
