import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { HostEvent } from '../../domain/capture/event.ts';
import { text } from '../../contract/text.ts';

/** Says that an event was kept on the sender's disk meanwhile. */
export const SOURCE_HEADER = 'x-recollect-source';
const DELIVERY_HEADER = 'x-recollect-delivery';
const IDEMPOTENCY_HEADER = 'idempotency-key';
const deliveryId = text(256);

/** Headers by which a sender may name a delivery, so that sending it again stores nothing twice. */
export const deliveryHeaders = z.looseObject({
  [DELIVERY_HEADER]: deliveryId.optional().describe('Id of this delivery; stands in for a de-duplication key'),
  [SOURCE_HEADER]: z
    .enum(['hook', 'spool'])
    .optional()
    .describe('`spool`: it was kept on disk by the client meanwhile'),
  [IDEMPOTENCY_HEADER]: deliveryId.optional().describe('The same, by its common name'),
});

/** The id that the sender gave this delivery; null for none. */
export function deliveryOf(headers: IncomingHttpHeaders): string | null {
  const given = headers[DELIVERY_HEADER] ?? headers[IDEMPOTENCY_HEADER];
  return typeof given === 'string' ? given : null;
}

/** An event without a key of its own is known by its delivery and its place in it. */
export function keyedByDelivery(event: HostEvent, delivery: string | null, index: number): HostEvent {
  return event.key !== null || delivery === null ? event : { ...event, key: `delivery:${delivery}:${index}` };
}
