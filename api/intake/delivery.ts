import type { IncomingHttpHeaders } from 'node:http';
import type { HostEvent } from '../../domain/capture/event.ts';
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
