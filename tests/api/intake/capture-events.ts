import { buildCaptureEvent } from '../../../domain/capture/build-event.ts';
import type { CaptureOutcome } from '../../../domain/capture/event.ts';
import { asId } from '../../../domain/ids.ts';
import type { RowId, SessionId, TenantId, UserId } from '../../../domain/ids.ts';
import { encodeEvent } from '../../../stores/postgres/capture/capture.ts';
import type { EncodedEvent } from '../../../stores/postgres/capture/capture.ts';

/** A captured prompt, identified by its key. */
export function captureEvent(key: string): EncodedEvent {
  const built = buildCaptureEvent(
    {
      host: 'generic',
      externalId: 's1',
      source: 'event',
      namespace: 'default',
      infer: true,
      project: null,
      key,
      occurredAt: null,
      agent: { id: null, type: null },
      model: null,
      metadata: null,
      parts: [{ kind: 'prompt', type: 'user', content: key }],
    },
    { tenantId: asId<TenantId>('t'), userId: asId<UserId>('u') },
    new Date(0),
  );
  return encodeEvent(built);
}

/** What a store answers for an event that it took, with the event's key as the row's id. */
export function acceptedOutcome(event: EncodedEvent): CaptureOutcome {
  return {
    status: 'accepted',
    rowId: asId<RowId>(event.key ?? ''),
    seq: 1,
    sessionId: asId<SessionId>('s'),
    reason: null,
  };
}

/** An error as PostgreSQL's client throws it. */
export function sqlError(code: string): Error {
  return Object.assign(new Error('from the database'), { code });
}

/** A promise with its ends in one's hand: what a store does decides when it is done. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
