import { randomUUID } from 'node:crypto';
import { closeSync, fstatSync, fsync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../outcome.ts';
import { claimedName, folderBytes, sessionName, spoolFolder, waitingName } from './folder.ts';
import type { SpoolFile } from './folder.ts';
import { formatLine, LINE_BYTES } from './line.ts';
import { cutMiddle, wellFormed } from '../../domain/capture/well-formed.ts';
import { Redactor } from '../../domain/redaction/redact.ts';

type Body = Readonly<Record<string, unknown>>;

/** Fields that link an event to its session, call and project: not redacted, as on the server. */
const IDENTITY = new Set([
  'session_id',
  'conversation_id',
  'hook_event_name',
  'tool_use_id',
  'agent_id',
  'event_id',
  'timestamp',
  'cwd',
  'root',
  'git_remote',
  'machine_id',
  'repository',
]);
const IDENTITY_CHARS = 4_096;

/** Returns a hook's body as it may be written to disk: without private text and secrets, well-formed, long values truncated. */
export function redactBody(body: Body): Body {
  const redacted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    const redactor = new Redactor();
    if (IDENTITY.has(name) && typeof value === 'string' && value.length <= IDENTITY_CHARS)
      redacted[name] = wellFormed(value);
    else Object.assign(redacted, redactor.json({ [name]: value }));
  }
  return redacted;
}

/** Truncates the longest fields of a redacted body until it fits. Returns null if it cannot fit. */
export function fitBody(body: Body, maxBytes: number): Body | null {
  const texts = Object.entries(body)
    .map(([name, value]) => ({ name, text: typeof value === 'string' ? value : JSON.stringify(value) }))
    .sort((a, b) => b.text.length - a.text.length);
  let bytes = Buffer.byteLength(JSON.stringify(body));
  const fitting: Record<string, unknown> = { ...body };
  for (const { name, text } of texts) {
    if (bytes <= maxBytes) break;
    const cut = cutMiddle(text);
    bytes -= Buffer.byteLength(JSON.stringify(fitting[name])) - Buffer.byteLength(JSON.stringify(cut));
    fitting[name] = cut;
  }
  return bytes <= maxBytes ? fitting : null;
}

/** An event that no server has accepted. */
export interface SpooledEvent {
  readonly session: string;
  /** The target's name, see `Target.server`. */
  readonly server: string;
  readonly delivery: string;
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `full`: the spool has reached its limit, and its events are retained. `unwritable`: with the system's error code. */
export type AppendResult =
  /** Written; `synced` resolves when it is on the disk, or when syncing failed. */
  | { readonly kind: 'spooled'; readonly synced: Promise<void> }
  | { readonly kind: 'full' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unwritable'; readonly reason: string };

/** Attempts to append. A drainer that renames in a tight loop was seen to win twenty times in a row. */
const TRIES = 20;
/** Attempts to append to the file that drainers rename. Later ones write a file of their own. */
const SHARED_TRIES = 5;
/** Bytes of a line besides the body. */
const ENVELOPE_BYTES = 1_024;

/** Redacts an event and appends it to its session's file. Never throws. */
export function appendToSpool(
  dataDir: string,
  event: SpooledEvent,
  maxBytes: number,
  now: () => Date = () => new Date(),
): AppendResult {
  try {
    const line = redactedLine(event, now);
    if (line === null) return { kind: 'too-large' };
    const folder = spoolFolder(dataDir);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (folderBytes(folder) + line.length > maxBytes) return { kind: 'full' };
    return append(folder, { session: sessionName(event.session), server: event.server }, line);
  } catch (error) {
    return { kind: 'unwritable', reason: reasonOf(error) };
  }
}

/** Returns the line of an event as it may be written to disk; null if it cannot fit. */
export function redactedLine(
  event: Omit<SpooledEvent, 'session' | 'server'>,
  now: () => Date = () => new Date(),
): Buffer | null {
  const body = fitBody(redactBody(event.body), LINE_BYTES - ENVELOPE_BYTES);
  if (body === null) return null;
  const { delivery, event: name, host, namespace } = event;
  return formatLine({ v: 1, delivery, event: name, host, namespace, at: now().toISOString(), body });
}

/**
 * Appends without a lock. A drainer renames a file, then reads it to its end. If the file still has its name after the write, the drainer will read
 * the line; otherwise the line is written again to the new file, and the server stores it once by its delivery id. A file of its own has the name of
 * one that a drainer claimed and abandoned.
 */
function append(
  folder: string,
  { session, server }: Pick<SpoolFile, 'session' | 'server'>,
  line: Buffer,
): AppendResult {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const isShared = attempt < SHARED_TRIES;
    const name = isShared ? waitingName(session, server) : claimedName({ session, server }, 0, randomUUID());
    const file = join(folder, name);
    const handle = openSync(file, 'a', 0o600);
    let written = 0;
    let isThere = false;
    try {
      written = writeSync(handle, line);
      const here = fstatSync(handle, { bigint: true });
      const there = statSync(file, { bigint: true, throwIfNoEntry: false });
      isThere = there?.ino === here.ino && there.dev === here.dev;
    } finally {
      if (!isThere || written !== line.length) closeSync(handle);
    }
    if (written !== line.length) return { kind: 'unwritable', reason: 'half written' };
    if (isThere) return { kind: 'spooled', synced: syncAndClose(handle) };
  }
  return { kind: 'unwritable', reason: 'the file changes its name too often' };
}

/** Runs in a thread of the pool: a busy disk is slow, and the agent's time limit continues. */
function syncAndClose(handle: number): Promise<void> {
  return new Promise((resolve) => {
    fsync(handle, () => {
      closeSync(handle);
      resolve();
    });
  });
}
