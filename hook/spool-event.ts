import { parseBody, sessionOf } from './body.ts';
import { spoolInBackground } from './background.ts';
import type { HookEnvironment } from './environment.ts';
import { REDACT_AT_ONCE_BYTES } from './limits.ts';
import type { HookRequest } from './request.ts';
import { appendToSpool, redactedLine } from './spool/append.ts';
import { sessionName } from './spool/folder.ts';
import { quarantine } from './spool/quarantine.ts';

/** Outcome of an event that no server accepted. */
export type SpoolOutcome =
  | { readonly kind: 'saved'; readonly synced: Promise<void> }
  | { readonly kind: 'unsaved'; readonly what: 'not-json' | 'no-session' | 'not-spooled'; readonly detail: string };

export interface SpoolContext {
  readonly client: string;
  readonly dataDir: string;
  readonly environment: HookEnvironment;
}

/** Spools an event for a server, redacted; a large one by a process of its own. Never rejects. */
export async function spoolEvent(context: SpoolContext, request: HookRequest, server: string): Promise<SpoolOutcome> {
  const body = parseBody(request.body);
  if (body === null) return { kind: 'unsaved', what: 'not-json', detail: 'no object' };
  const session = sessionOf(body);
  if (session === null) return { kind: 'unsaved', what: 'no-session', detail: 'no session id' };
  const { dataDir, environment } = context;
  const { delivery, event, host, namespace } = request;
  if (bytesOf(request) > REDACT_AT_ONCE_BYTES) {
    const order = { dataDir, server, session, delivery, event, host, namespace, factsOf: null };
    return (await spoolInBackground(context.client, order, request.body))
      ? { kind: 'saved', synced: Promise.resolve() }
      : { kind: 'unsaved', what: 'not-spooled', detail: 'no process could be started' };
  }
  const result = appendToSpool(
    dataDir,
    { session, server, delivery, event, host, namespace, body },
    environment.spoolMaxBytes,
  );
  return result.kind === 'spooled'
    ? { kind: 'saved', synced: result.synced }
    : { kind: 'unsaved', what: 'not-spooled', detail: result.kind === 'unwritable' ? result.reason : result.kind };
}

/** Quarantine file of events without a session id. */
const NO_SESSION = 'no-session';

/**
 * Quarantines an event, redacted, that the api will never accept. Resolves when it is on the disk. Null if the event is large or the
 * quarantine is full; the event is then spooled, and a drainer handles it. @throws errors of the file system
 */
export function quarantineEvent(dataDir: string, request: HookRequest, reason: string): Promise<void> | null {
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
