import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { z } from 'zod';

const value = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
});
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .default([])
  .transform((list) =>
    Object.fromEntries(
      list.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
        key,
        stringValue ?? doubleValue ?? boolValue ?? Number(intValue),
      ]),
    ),
  );
const place = z.object({ traceId: z.string(), spanId: z.string() });
const nanoseconds = z.union([z.string(), z.number()]).transform((nanos) => Number(BigInt(nanos) / 1_000n) / 1_000);
const span = place.extend({
  name: z.string(),
  kind: z.number(),
  parentSpanId: z.string().optional(),
  links: z.array(place).default([]),
  attributes,
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  status: z.object({ code: z.number().optional() }).optional(),
});
const body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
});

/** A span as a collector receives it; times in ms since 1970. */
export interface ReceivedSpan extends Omit<z.output<typeof span>, 'startTimeUnixNano' | 'endTimeUnixNano' | 'status'> {
  readonly service: unknown;
  readonly startMs: number;
  readonly endMs: number;
  readonly isFailed: boolean;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Bodies of all requests, as they came. */
  readonly bodies: readonly string[];
  readonly headers: readonly IncomingHttpHeaders[];
  /** Status of further answers; null: none is sent. */
  status: number | null;
  /** Body of further answers. */
  answer: string;
  named(name: string): ReceivedSpan[];
  close(): Promise<void>;
}

const FAILED = 2;

/** Starts a collector of OTLP over HTTP in JSON, on a free port unless one is given. */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      bodies.push(text);
      headers.push(request.headers);
      if (receiver.status === 200)
        for (const { resource, scopeSpans } of body.parse(JSON.parse(text)).resourceSpans)
          for (const { startTimeUnixNano: startMs, endTimeUnixNano: endMs, status, ...rest } of scopeSpans.flatMap(
            (scope) => scope.spans,
          ))
            spans.push({
              ...rest,
              startMs,
              endMs,
              isFailed: status?.code === FAILED,
              service: resource.attributes['service.name'],
            });
      if (receiver.status !== null)
        response.writeHead(receiver.status, { 'content-type': 'application/json' }).end(receiver.answer);
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    bodies,
    headers,
    status: 200,
    answer: '{}',
    named: (name) => spans.filter((one) => one.name === name),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** Whether a trace contains a span, or leads to it over links: each of a span that continues one trace and links others. */
export function leadsTo(spans: readonly ReceivedSpan[], traceId: string, target: ReceivedSpan): boolean {
  const reached = new Set([traceId]);
  for (let before = 0; before < reached.size;) {
    before = reached.size;
    for (const { traceId: own, links } of spans) if (links.some((link) => reached.has(link.traceId))) reached.add(own);
  }
  return reached.has(target.traceId);
}
