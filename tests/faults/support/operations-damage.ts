import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KeepInstance } from './operations-instance.ts';

/** Flips one bit, anywhere in the middle: the end of a text in base64 has bits that say nothing. */
export function flipBit(bytes: Buffer, random: () => number): void {
  const at = Math.floor(bytes.byteLength * (0.1 + 0.6 * random()));
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
}

/** A copy of a set in a store of its own, with one bit flipped in one of the files that are meant. */
export function flippedCopy(
  { instance, folder }: KeepInstance,
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

/** Whether this machine lets a test bound what a running process writes. */
export function canBoundFiles(): boolean {
  return spawnSync('prlimit', ['--version']).status === 0;
}

/** Bounds the size of every file that a process writes, as a full disk would; null: no bound any more. */
export function boundFiles(pid: number, bytes: number | null): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`]);
}
