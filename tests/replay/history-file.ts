import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
export type StoredHistory = ReturnType<typeof History.fromObject>;

/** Folder of the stored histories. */
export const HISTORIES = fileURLToPath(new URL('./histories', import.meta.url));

/** Removes what identifies the recording machine and user: a replay does not need it. */
function withoutPlace(name: string, value: unknown): unknown {
  if (name === 'stackTrace') return undefined;
  return name === 'identity' ? 'recorder' : value;
}

/** Writes a history as readable JSON. */
export function writeHistory(name: string, history: proto.temporal.api.history.v1.IHistory): void {
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  writeFileSync(path.join(HISTORIES, name), `${JSON.stringify(plain, withoutPlace)}\n`);
}

/** Reads a stored history back. */
export function readHistory(name: string): StoredHistory {
  return History.fromObject(JSON.parse(readFileSync(path.join(HISTORIES, name), 'utf8')));
}
