import { buildCaptureEvent, isBoundary } from '../../domain/capture/build-event.ts';
import type { EventOwner, HostEvent } from '../../domain/capture/event.ts';
import type { FullValueBytes } from '../../domain/capture/full-values.ts';
import type { FullValue } from '../../domain/redaction/redact.ts';
import { encodeEvent } from '../../stores/postgres/capture/capture-encoding.ts';
import type { EncodedEvent } from '../../stores/postgres/capture/capture-encoding.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { DELIVERY_HEADER, IDEMPOTENCY_HEADER } from '../../contract/events.ts';

/** The id that the sender gave this delivery; null for none. */
export function deliveryOf(headers: IncomingHttpHeaders): string | null {
  const given = headers[DELIVERY_HEADER] ?? headers[IDEMPOTENCY_HEADER];
  return typeof given === 'string' ? given : null;
}

/** An event without a key of its own is known by its delivery and its place in it. */
export function keyedByDelivery(event: HostEvent, delivery: string | null, index: number): HostEvent {
  return event.key !== null || delivery === null ? event : { ...event, key: `delivery:${delivery}:${index}` };
}

/** An event as it goes to the store. */
export interface BuiltEvent {
  readonly encoded: EncodedEvent;
  /** It ends something: the session's workflow is signalled at once. */
  readonly urgent: boolean;
  /** Full values of what was cut, redacted. */
  readonly fullValues: readonly FullValueBytes[];
}

export interface BuildOptions {
  readonly owner: EventOwner;
  readonly receivedAt: Date;
  /** Full values of what is cut are wanted. */
  readonly storeFullValue: boolean;
}

/** Builds an event where it is called: a text may take a millisecond a kilobyte. */
export function buildIncoming(event: HostEvent, { owner, receivedAt, storeFullValue }: BuildOptions): BuiltEvent {
  const fullValues: FullValue[] = [];
  const built = buildCaptureEvent(event, owner, receivedAt, storeFullValue ? { fullValues } : {});
  return {
    encoded: encodeEvent(built),
    urgent: isBoundary(built),
    fullValues: fullValues.map(({ sha256, text }) => ({ sha256, bytes: Buffer.from(text, 'utf8') })),
  };
}

/** An event that was read elsewhere: its outline here, and how the rest of it is built there. */
export type Incoming = HostEvent & { readonly buildElsewhere?: (options: BuildOptions) => Promise<BuiltEvent> };

/** Characters from which an event is built in the thread: the worst text of this size takes some 30 ms. */
export const HEAVY_CHARS = 32 * 1024;

/** True for an event of more than `HEAVY_CHARS` characters, names and numbers included. */
export function isHeavy(event: HostEvent): boolean {
  const left: unknown[] = [event.parts, event.metadata];
  let chars = 0;
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value === 'string') chars += value.length;
    else if (value !== null && typeof value === 'object') {
      for (const [name, entry] of Object.entries(value)) {
        chars += name.length + 8;
        if (entry !== undefined) left.push(entry);
        if (chars > HEAVY_CHARS) return true;
      }
    }
    if (chars > HEAVY_CHARS) return true;
  }
  return false;
}
