import { parseBody, sessionOf } from './body.ts';
import { spoolInBackground } from './background.ts';
import type { HookEnvironment } from './environment.ts';
import { REDACT_AT_ONCE_BYTES } from './limits.ts';
import type { HookRequest } from './request.ts';
import { appendToSpool, redactedLine } from './spool/append.ts';
import { sessionName } from './spool/folder.ts';
import { quarantine } from './spool/quarantine.ts';

/** What becomes of an event that no server took. */
export type Kept =
  | { readonly kind: 'kept'; readonly synced: Promise<void> }
  | { readonly kind: 'not-kept'; readonly what: 'not-json' | 'no-session' | 'not-spooled'; readonly detail: string };

export interface KeepContext {
  readonly client: string;
  readonly dataDir: string;
  readonly environment: HookEnvironment;
}

/** Spools an event for a server, redacted; a large one by a process of its own. Never rejects. */
export async function spoolEvent(context: KeepContext, request: HookRequest, server: string): Promise<Kept> {
  const body = parseBody(request.body);
  if (body === null) return { kind: 'not-kept', what: 'not-json', detail: 'no object' };
  const session = sessionOf(body);
  if (session === null) return { kind: 'not-kept', what: 'no-session', detail: 'no session id' };
  const { dataDir, environment } = context;
  const { delivery, event, host, namespace } = request;
  if (bytesOf(request) > REDACT_AT_ONCE_BYTES) {
    const order = { dataDir, server, session, delivery, event, host, namespace };
    return (await spoolInBackground(context.client, order, request.body))
      ? { kind: 'kept', synced: Promise.resolve() }
      : { kind: 'not-kept', what: 'not-spooled', detail: 'no process could be started' };
  }
  const result = appendToSpool(
    dataDir,
    { session, server, delivery, event, host, namespace, body },
    environment.spoolMaxBytes,
  );
  return result.kind === 'spooled'
    ? { kind: 'kept', synced: result.synced }
    : { kind: 'not-kept', what: 'not-spooled', detail: result.kind === 'unwritable' ? result.reason : result.kind };
}

/** Where an event is set aside that says no session. */
const NO_SESSION = 'no-session';

/**
 * Sets an event aside, redacted, that the api will never take. Resolves when it is on the disk. Null when it cannot be done here: it is
 * large, or there is no room; then it is spooled, and a drainer sees to it. @throws what the file system throws
 */
export function setEventAside(dataDir: string, request: HookRequest, reason: string): Promise<void> | null {
  const body = parseBody(request.body);
  if (body === null || bytesOf(request) > REDACT_AT_ONCE_BYTES) return null;
  const { delivery, event, host, namespace } = request;
  const line = redactedLine({ delivery, event, host, namespace, body });
  const session = sessionName(sessionOf(body) ?? NO_SESSION);
  return line === null ? null : quarantine(dataDir, session, reason, line.toString('utf8').trim());
}

function bytesOf(request: HookRequest): number {
  return request.body.reduce((sum, part) => sum + part.length, 0);
}
