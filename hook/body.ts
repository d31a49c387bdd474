import { resolve } from 'node:path';

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}

/**
 * Puts fields in front of a JSON object without reading it: a body of megabytes is neither parsed nor copied. A field that the
 * object has itself comes later and so is the one that counts. Null when the bytes are no object.
 */
export function withFields(bytes: Buffer, fields: Readonly<Record<string, string>>): Buffer[] | null {
  const start = skipSpace(bytes, bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0);
  if (bytes[start] !== OPENING_BRACE) return null;
  const rest = skipSpace(bytes, start + 1);
  const own = JSON.stringify(fields).slice(0, -1);
  const comma = bytes[rest] === CLOSING_BRACE || own === '{' ? '' : ',';
  return [Buffer.from(own + comma, 'utf8'), bytes.subarray(rest)];
}

/** Returns the parsed object of a hook; null for anything else. */
export function parseBody(parts: readonly Buffer[]): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // Invalid JSON; the caller logs it.
  }
}

/** Fields with the session id, by host. */
const SESSION_FIELDS = [
  'session_id',
  'conversation_id',
  'sessionId',
  'thread-id',
  'thread_id',
  'trajectory_id',
  'taskId',
] as const;
const SESSION_CHARS = 256;

/** Returns the session id of a hook; null without one: servers reject such events. */
export function sessionOf(body: Readonly<Record<string, unknown>> | null): string | null {
  if (body === null) return null;
  for (const field of SESSION_FIELDS) {
    const session = body[field];
    if (typeof session === 'string' && session !== '' && session.length <= SESSION_CHARS) return session;
  }
  return null;
}

/** Longer than a path of any system. */
const FOLDER_CHARS = 4_096;

/** Returns the absolute working folder of a session, by default that of this process. Null if it was removed, or its name is too long. */
export function folderOf(body: Readonly<Record<string, unknown>> | null): string | null {
  const roots: unknown = body?.['workspace_roots'] ?? body?.['workspaceRoots'];
  const folders = [body?.['cwd'], Array.isArray(roots) ? roots[0] : null, body?.['workspacePath']];
  const named = folders.find((folder): folder is string => typeof folder === 'string' && folder !== '');
  try {
    const folder = resolve(named ?? '');
    return folder.length <= FOLDER_CHARS ? folder : null;
  } catch {
    return null; // This process has no folder any more.
  }
}
