import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { principalOf } from '../../auth.ts';
import { captureWithin } from '../../bounds.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { BATCH_BODY_BYTES, EVENT_BYTES } from '../../http/body.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { Breather } from '../../intake/breather.ts';
import { checkEvent, itemOf, rejectionOf, deliveryOf, keyedByDelivery } from '../../intake/check-event.ts';
import type { CaptureItem, CheckedEvent } from '../../intake/check-event.ts';
import { captureAnswerSchema, deliveryHeaders } from '../../../contract/events.ts';
import { afterLast } from '../../intake/buffered-answers.ts';
import { captureLines } from '../../intake/ndjson.ts';
import { onClosed } from '../../http/on-closed.ts';
import { RequestSlots } from '../../http/request-slots.ts';
import type { HostEvent } from '../../../domain/capture/event.ts';

/** Maximum events of a JSON array. */
const MAX_ARRAY = 1_000;

/** Events are validated one by one, each with its own response item; OpenAPI references this schema. */
const EVENT = { $ref: '#/components/schemas/EventInput' };

/** Lines of a request through a proxy, whose answers wait for the end of the body: some 4 MB. */
const MAX_FORWARDED_LINES = 30_000;

/** Each stream buffers two groups of lines, for as long as its sender takes. */
const STREAMS = { perUser: 8, total: 24 } as const;

function answerOf(items: readonly CaptureItem[]): z.output<typeof captureAnswerSchema> {
  const count = (status: CaptureItem['status']) => items.filter((item) => item.status === status).length;
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: count('rejected'),
    items: [...items],
  };
}

/** Returns the content length if it is within an event's limit; else null, and the event itself is measured. */
function sizeSent(headers: IncomingHttpHeaders): number | null {
  const length = Number(headers['content-length'] ?? Number.NaN);
  return length <= EVENT_BYTES ? length : null;
}

/** `POST /events` and `/events/batch`: host-neutral capture. */
export function eventRoutes(app: Api, dependencies: ApiDependencies): void {
  const streams = new RequestSlots(STREAMS);
  /** Stores the good events of a list and answers one item each, in order. */
  const captureAll = async (
    values: readonly unknown[],
    principal: Principal,
    headers: IncomingHttpHeaders,
  ): Promise<CaptureItem[]> => {
    const delivery = deliveryOf(headers);
    // No event is larger than the body that brings it.
    const bytes = sizeSent(headers);
    const breather = new Breather();
    const checked: CheckedEvent[] = [];
    for (const value of values) {
      checked.push(checkEvent(value, bytes));
      await breather.breathe();
    }
    const good = checked.flatMap((entry, index): HostEvent[] =>
      'event' in entry ? [keyedByDelivery(entry.event, delivery, index)] : [],
    );
    const results = await captureWithin(dependencies, principal, good);
    let next = 0;
    return checked.map((entry, index) => {
      if (!('event' in entry)) return { index, status: 'rejected', id: null, code: entry.code, message: entry.message };
      const item = itemOf(index, results[next]);
      next += 1;
      return item;
    });
  };

  app.post(
    '/events',
    {
      // Allows white space around the event; the event's size is checked separately.
      bodyLimit: EVENT_BYTES * 2,
      config: { access: 'capture' },
      schema: {
        tags: ['capture'],
        summary: 'Capture one event',
        description: 'Captures an event in the host-neutral format. An `accepted` event is committed.',
        headers: deliveryHeaders,
        body: z.unknown().meta(EVENT),
        response: { 202: captureAnswerSchema },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const checked = checkEvent(request.body, sizeSent(request.headers));
      if (!('event' in checked)) throw new ApiError(checked.code, checked.message, checked.details);
      const results = await captureWithin(dependencies, principal, [
        keyedByDelivery(checked.event, deliveryOf(request.headers), 0),
      ]);
      const item = itemOf(0, results[0]);
      if (item.status === 'rejected') {
        const { code, message } = rejectionOf(results[0]);
        throw new ApiError(code, message);
      }
      return reply.status(202).send(answerOf([item]));
    },
  );

  app.post(
    '/events/batch',
    {
      bodyLimit: BATCH_BODY_BYTES,
      config: { access: 'capture', ndjson: true },
      schema: {
        tags: ['capture'],
        summary: 'Capture many events',
        description:
          'Captures a JSON array of at most 1,000 events and returns items in the same order, or NDJSON of any length and streams NDJSON: one line per event after its commit, then a line with the counts. A rejected event does not affect the others.',
        consumes: ['application/json', 'application/x-ndjson'],
        headers: deliveryHeaders,
        body: z.unknown().meta({
          content: {
            'application/json': {
              schema: {
                type: 'array',
                maxItems: MAX_ARRAY,
                items: { anyOf: [EVENT, { description: 'Other items are rejected' }] },
              },
            },
            'application/x-ndjson': { schema: { description: 'Events, one per line' } },
          },
        }),
        response: {
          202: {
            description: 'One item per event',
            content: {
              'application/json': { schema: captureAnswerSchema },
              'application/x-ndjson': { schema: z.union([z.string(), z.instanceof(Readable)]) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (request.body instanceof Readable) {
        onClosed(reply, streams.take(principal.userId));
        const isForwarded = request.headers['x-forwarded-for'] !== undefined;
        const lines = captureLines(
          request.body,
          deliveryOf(request.headers),
          (events) => captureWithin(dependencies, principal, events),
          isForwarded ? MAX_FORWARDED_LINES : Infinity,
        );
        return reply
          .status(202)
          .type('application/x-ndjson')
          .send(Readable.from(isForwarded ? afterLast(lines) : lines, { objectMode: true, highWaterMark: 1 }));
      }
      if (!Array.isArray(request.body))
        throw new ApiError('VALIDATION_FAILED', 'the body must be an array of events', [
          { field: '', message: 'must be an array' },
        ]);
      if (request.body.length > MAX_ARRAY) {
        const message = `must not exceed ${MAX_ARRAY} events; send more as NDJSON`;
        throw new ApiError('VALIDATION_FAILED', `an array ${message}`, [{ field: '', message }]);
      }
      return reply.status(202).send(answerOf(await captureAll(request.body, principal, request.headers)));
    },
  );
}
