import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { OperationsInstance } from './operations-instance.ts';

/** Flips one bit in the middle of a file: the last bits of base64 text have no effect. */
export function flipBit(bytes: Buffer, random: () => number): void {
  const at = Math.floor(bytes.byteLength * (0.1 + 0.6 * random()));
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
}

/** Copies a backup to a new store, with one bit flipped in one of the matching files. */
export function flippedCopy(
  { instance, folder }: OperationsInstance,
  set: string,
  isMeant: (name: string) => boolean,
  random: () => number,
): { readonly store: string; readonly name: string } {
  const store = mkdtempSync(path.join(folder, 'flipped-'));
  const to = path.join(store, 'sets', set);
  cpSync(path.join(instance.dataDir, 'backups', 'sets', set), to, { recursive: true });
  const names = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter(isMeant).toSorted();
  const name = names[Math.floor(random() * names.length)] ?? '';
  const bytes = readFileSync(path.join(to, name));
  flipBit(bytes, random);
  writeFileSync(path.join(to, name), bytes);
  return { store, name };
}

/** Returns true if the machine can limit the file size of a running process. */
export function canBoundFiles(): boolean {
  return spawnSync('prlimit', ['--version']).status === 0;
}

/** Limits the size of files that a process writes, as a full disk would; null removes the limit. */
export function boundFiles(pid: number, bytes: number | null): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`]);
}
