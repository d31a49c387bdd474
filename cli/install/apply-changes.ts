import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { countHooks, originalAmong, isUnneeded, mergeKey, withoutOwn } from './hook-list.ts';
import type { HookStyle } from './hook-list.ts';
import type { FileChange } from './host-files.ts';
import { InstallError } from './install-error.ts';
import { readOwnedFile } from './owned-file.ts';
import type { OwnedFile } from './owned-file.ts';
import { backupFiles, readSettingsFile, type SettingsFile, writeSettingsFile } from './settings-file.ts';
import { unifiedDiff } from './unified-diff.ts';

const OTHERS = 0o077;

/** A computed change that is not yet written. */
export interface PreparedChange {
  readonly read: SettingsFile;
  /** New text; null to delete the file. */
  readonly text: string | null;
  readonly isPrivate: boolean;
  /** Text of the backup, without Recollect's key; null for none. */
  readonly backup: string | null;
  /** Recollect's hooks after the change. */
  readonly hooks: number;
}

export interface AppliedChange {
  readonly file: string;
  /** `closed`: text unchanged, read permission of other users removed. */
  readonly outcome: 'created' | 'changed' | 'deleted' | 'closed' | 'unchanged';
  readonly backup: string | null;
  readonly hooks: number;
}

/** Reads every file and computes its change; writes nothing. @throws InstallError if a file cannot be changed */
export function prepareInstall(changes: readonly FileChange[]): PreparedChange[] {
  return changes.map((planned) => {
    if (planned.kind === 'owned') return prepareOwned(planned);
    const { file, style, isPrivate, change } = planned;
    const read = readSettingsFile(file);
    const text = change(read.text);
    return { read, text, isPrivate, backup: backupOf(read, style), hooks: countHooks(text, style) };
  });
}

function prepareOwned(planned: OwnedFile): PreparedChange {
  const { read, isOwn } = readOwnedFile(planned);
  if (!isOwn)
    throw new InstallError(
      'unusable-file',
      `${planned.file} is not of Recollect, and the agent runs one file of this name. Rename or merge it first; nothing was written.`,
    );
  return { read, text: planned.text, isPrivate: false, backup: null, hooks: planned.hooks };
}

function prepareOwnedRemoval(planned: OwnedFile): PreparedChange {
  const { read, isOwn } = readOwnedFile(planned);
  return { read, text: read.exists && isOwn ? null : read.text, isPrivate: false, backup: null, hooks: 0 };
}

/** Computes the removal: restores the original bytes if nothing else changed, and deletes files that the installation created. */
export function prepareUninstall(changes: readonly FileChange[]): PreparedChange[] {
  return changes.map((planned) => {
    if (planned.kind === 'owned') return prepareOwnedRemoval(planned);
    const { file, style, made } = planned;
    const read = readSettingsFile(file);
    const remaining = withoutOwn(read.text, style);
    const unchanged = { read, text: read.text, isPrivate: false, backup: null, hooks: 0 };
    if (remaining === read.text) return unchanged;
    const original = originalOf(read, remaining, style);
    return {
      ...unchanged,
      backup: backupOf(read, style),
      text: original ?? (isUnneeded(remaining, made) ? null : remaining),
    };
  });
}

function originalOf(read: SettingsFile, remaining: string, style: HookStyle): string | null {
  const texts = backupFiles(read.file).map((file) => readFileSync(file, 'utf8'));
  return originalAmong(texts, remaining, style);
}

/** Returns the text for a backup; null without a file, and if a backup has everything but Recollect's own parts. */
function backupOf(read: SettingsFile, style: HookStyle): string | null {
  if (!read.exists || originalOf(read, withoutOwn(read.text, style), style) !== null) return null;
  const bytes = readFileSync(read.file, 'utf8');
  return bytes.trim() === '' ? bytes : mergeKey(read.text, null);
}

/** Writes the prepared changes in order. @throws InstallError if a file changed in the meantime */
export function applyChanges(prepared: readonly PreparedChange[], now: Date): AppliedChange[] {
  return prepared.map(({ read, text, isPrivate, backup: before, hooks }) => {
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
    const backup = writeSettingsFile(read, text, { isPrivate, backup: before, now });
    return { file, outcome: exists ? 'changed' : 'created', backup, hooks };
  });
}

const SECRET_MEMBER = /("[^"\n]*(?:key|token|secret|password)[^"\n]*":\s*")(?:[^"\\\n]|\\.)*(")/gi;

/** Returns the prepared changes as a unified diff with hidden secrets; '' for no change. */
export function diffOf(prepared: readonly PreparedChange[]): string {
  return prepared
    .map(({ read, text }) =>
      unifiedDiff(read.file, read.exists ? read.text : '', text === read.text && !read.exists ? '' : (text ?? '')),
    )
    .join('')
    .replaceAll(SECRET_MEMBER, '$1(hidden)$2');
}
