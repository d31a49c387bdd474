import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { shortHash } from '../target.ts';

/** A file of pending events: one per session and server. */
export interface SpoolFile {
  readonly name: string;
  /** The session's part of the name. */
  readonly session: string;
  readonly server: string;
  /** A drainer claimed it, and nothing is appended to it any more. Null while hooks append. */
  readonly claim: { readonly offsetBytes: number } | null;
}

const WAITING = /^([\w-]{1,64})\.([\w-]{1,16})\.ndjson$/;
const CLAIMED = /^([\w-]{1,64})\.([\w-]{1,16})\.(\d{1,15})\.[0-9a-f-]{36}\.draining$/;
const SAFE_SESSION = /^[\w-]{1,64}$/;
const SHOWN_CHARS = 40;

export function spoolFolder(dataDir: string): string {
  return join(dataDir, 'spool');
}

/** Returns a session's part of a file name: the id if it is safe, else its start with unsafe characters replaced, and a hash. */
export function sessionName(sessionId: string): string {
  if (SAFE_SESSION.test(sessionId)) return sessionId;
  return `${sessionId.slice(0, SHOWN_CHARS).replaceAll(/[^\w-]/g, '_')}-${shortHash(sessionId)}`;
}

export function waitingName(session: string, server: string): string {
  return `${session}.${server}.ndjson`;
}

/** `token` ties the name to the drainer: a stalled drainer cannot change a file that another one has claimed. */
export function claimedName(file: Pick<SpoolFile, 'session' | 'server'>, offsetBytes: number, token: string): string {
  return `${file.session}.${file.server}.${offsetBytes}.${token}.draining`;
}

/** Returns the files of the spool, those that a drainer claimed first, because they contain earlier events. Empty without a spool. */
export function spoolFiles(dataDir: string): SpoolFile[] {
  const folder = spoolFolder(dataDir);
  if (!existsSync(folder)) return [];
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // No folder, or not readable.
  }
  const claimed: SpoolFile[] = [];
  const waiting: SpoolFile[] = [];
  for (const name of names) {
    const [, session, server, offset] = WAITING.exec(name) ?? CLAIMED.exec(name) ?? [];
    if (session === undefined || server === undefined) continue;
    if (offset === undefined) waiting.push({ name, session, server, claim: null });
    else claimed.push({ name, session, server, claim: { offsetBytes: Number(offset) } });
  }
  return [...claimed, ...waiting];
}

/** Bytes of all files in a folder and the folders in it. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = join(folder, entry.name);
    // A drainer may have removed it meanwhile.
    bytes += entry.isDirectory() ? folderBytes(at) : (statSync(at, { throwIfNoEntry: false })?.size ?? 0);
  }
  return bytes;
}
