import { describe, expect, it } from 'vitest';
import { checkEvent, deliveryOf, keyedByDelivery } from '../../../api/intake/check-event.ts';
import type { HostEvent } from '../../../domain/capture/event.ts';
import { deliveryHeaders } from '../../../contract/events.ts';

function event(fields: Record<string, unknown> = {}): HostEvent {
  const checked = checkEvent({ type: 'prompt', session_id: 's', content: 'x', ...fields }, null);
  if (!('event' in checked)) throw new Error(checked.message);
  return checked.event;
}

describe('deliveryOf', () => {
  it.each([
    ['our own header', { 'x-recollect-delivery': 'd' }, 'd'],
    ['the common one', { 'idempotency-key': 'i' }, 'i'],
    ['our own header before the common one', { 'x-recollect-delivery': 'd', 'idempotency-key': 'i' }, 'd'],
    ['none', { 'content-type': 'application/json' }, null],
    ['one that is given twice', { 'x-recollect-delivery': ['a', 'b'] }, null],
  ])('%s', (_, headers, id) => {
    expect(deliveryOf(headers)).toBe(id);
  });
});

describe('deliveryHeaders', () => {
  it.each([{}, { 'idempotency-key': 'x'.repeat(256) }, { other: 'header' }])('take %j', (headers) => {
    expect(deliveryHeaders.safeParse(headers).success).toBe(true);
  });

  it.each([{ 'idempotency-key': '' }, { 'x-recollect-delivery': 'x'.repeat(257) }])('refuse %j', (headers) => {
    expect(deliveryHeaders.safeParse(headers).success).toBe(false);
  });
});

describe('keyedByDelivery', () => {
  it('names an event by its delivery and its place', () => {
    expect(keyedByDelivery(event(), 'd', 3)).toEqual({ ...event(), key: 'delivery:d:3' });
    expect(keyedByDelivery(event(), 'd', 3).key).not.toBe(keyedByDelivery(event(), 'd', 4).key);
    expect(keyedByDelivery(event(), 'd', 3).key).not.toBe(keyedByDelivery(event(), 'e', 3).key);
  });

  it('leaves a key that the event has, and an event of no delivery', () => {
    expect(keyedByDelivery(event({ key: 'k' }), 'd', 0).key).toBe('k');
    expect(keyedByDelivery(event(), null, 0).key).toBeNull();
  });
});
