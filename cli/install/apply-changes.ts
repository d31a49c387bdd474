import { chmodSync, rmSync } from 'node:fs';
import { countHooks, originalAmong, saysNothing, withoutOwn } from './hook-list.ts';
import type { FileChange } from './host-files.ts';
import { backupTexts, readSettingsFile, type SettingsFile, writeSettingsFile } from './settings-file.ts';
import { unifiedDiff } from './unified-diff.ts';

const OTHERS = 0o077;

/** A change that was thought through and not yet written. */
export interface PreparedChange {
  readonly read: SettingsFile;
  /** What the file shall hold; null: it shall be gone. */
  readonly text: string | null;
  readonly isPrivate: boolean;
  /** Hooks of ours afterwards. */
  readonly hooks: number;
}

export interface AppliedChange {
  readonly file: string;
  /** `closed`: the text was right, but others could read the key. */
  readonly outcome: 'created' | 'changed' | 'deleted' | 'closed' | 'unchanged';
  readonly backup: string | null;
  readonly hooks: number;
}

/** Reads every file and works out its change; writes nothing. Throws InstallError when one of them cannot be changed. */
export function prepareInstall(changes: readonly FileChange[]): PreparedChange[] {
  return changes.map(({ file, style, isPrivate, change }) => {
    const read = readSettingsFile(file);
    const text = change(read.text);
    return { read, text, isPrivate, hooks: countHooks(text, style) };
  });
}

/** The same for taking ours out: back to the bytes of before where nothing else was changed, and no file where there was none. */
export function prepareUninstall(changes: readonly FileChange[]): PreparedChange[] {
  return changes.map(({ file, style, made }) => {
    const read = readSettingsFile(file);
    const remaining = withoutOwn(read.text, style);
    const unchanged = { read, text: read.text, isPrivate: false, hooks: 0 };
    if (remaining === read.text) return unchanged;
    const original = originalAmong(backupTexts(read.file), remaining, style);
    return { ...unchanged, text: original ?? (saysNothing(remaining, made) ? null : remaining) };
  });
}

/** Writes what was prepared, in its order. Throws InstallError when a file was changed meanwhile. */
export function applyChanges(prepared: readonly PreparedChange[], now: Date): AppliedChange[] {
  return prepared.map(({ read, text, isPrivate, hooks }) => {
    const { file, exists } = read;
    if (text === null) {
      rmSync(file, { force: true });
      return { file, outcome: 'deleted', backup: null, hooks };
    }
    if (text === read.text) {
      const isOpen = isPrivate && exists && (read.mode & OTHERS) !== 0;
      if (isOpen) chmodSync(file, 0o600);
      return { file, outcome: isOpen ? 'closed' : 'unchanged', backup: null, hooks };
    }
    const backup = writeSettingsFile(read, text, { isPrivate, now });
    return { file, outcome: exists ? 'changed' : 'created', backup, hooks };
  });
}

const SECRET_MEMBER = /("[^"\n]*(?:key|token|secret|password)[^"\n]*":\s*")(?:[^"\\\n]|\\.)*(")/gi;

/** What would be written, as a unified diff without the values of keys and tokens; '' where nothing would. */
export function diffOf(prepared: readonly PreparedChange[]): string {
  return prepared
    .map(({ read, text }) =>
      unifiedDiff(read.file, read.exists ? read.text : '', text === read.text && !read.exists ? '' : (text ?? '')),
    )
    .join('')
    .replaceAll(SECRET_MEMBER, '$1(hidden)$2');
}
