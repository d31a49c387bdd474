import { setTimeout as pause } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { z } from 'zod';
import type { SpanIds } from './active-span.ts';
import type { Exporter, ExporterSettings, SpanValues } from './tracing.ts';

/** Spans that wait for the collector; further ones are dropped. One takes some kilobytes. */
const MOST_QUEUED = 4_096;
const BATCH = 512;
const BATCH_MS = 2_000;
/** An export, retries included, ends after this time. */
const EXPORT_MS = 5_000;
/** Pauses before a batch is sent again. */
const PAUSES_MS = [250, 1_000, 2_000] as const;
const CLOSE_MS = 1_000;
/** `ExportResultCode` of the library. */
const RESULT = { success: 0, failed: 1 } as const;
/** By the specification of OTLP; other answers are final. */
const RETRIED: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const KINDS = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;

const contextOf = ({ traceId, spanId }: SpanIds) => ({
  traceId,
  spanId,
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
});

function given(attributes: SpanValues): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** An answer to an accepted request has a number and a message; of a longer one, in bytes, nothing is read. */
const LONGEST_ANSWER = 65_536;
// JSON of protocol buffers has the number as text.
const partialSuccess = z.object({ partialSuccess: z.object({ rejectedSpans: z.coerce.number().int().nonnegative() }) });

/** Returns how many spans of an accepted request the collector refused; 0 if its answer names no number. Never rejects. */
async function rejectedSpans({ body }: Response): Promise<number> {
  try {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body ?? []) {
      size += part.byteLength;
      if (size > LONGEST_ANSWER) return 0;
      parts.push(part);
    }
    return partialSuccess.parse(JSON.parse(Buffer.concat(parts).toString('utf8'))).partialSuccess.rejectedSpans;
  } catch {
    // The usual answer: empty, or without this part. The request was accepted: sent again, its spans would be there twice.
    return 0;
  }
}

/** Sends a request with spans to the collector; returns how many of them it refused, null if it may accept them later. */
async function send(
  { url, headers }: ExporterSettings,
  body: Uint8Array<ArrayBuffer>,
  spans: number,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal,
      redirect: 'error',
    });
    if (answer.ok) return Math.min(await rejectedSpans(answer), spans);
    await answer.body?.cancel();
    return RETRIED.has(answer.status) ? null : spans;
  } catch {
    // Unreachable, or out of time: the caller knows which.
    return null;
  }
}

/**
 * Exports spans to a collector by OTLP over HTTP. What starts a span decides that it is recorded: nothing is sampled here. Nothing waits for
 * the collector: spans that it does not receive in time are dropped and counted. The library's own exporter is not used: its retries cannot be
 * ended, and delayed the end of the process by seconds.
 */
export function createOtlpExporter(
  settings: ExporterSettings,
  service: { readonly name: string; readonly version: string },
  onDropped: (count: number) => void,
): Exporter {
  let queued = 0;
  let isClosing = false;
  const ending = new AbortController();
  /** Sends a batch, again after transient failures. Returns how many of its spans the collector did not accept; never rejects. */
  const deliver = async (body: Uint8Array<ArrayBuffer>, spans: number): Promise<number> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(EXPORT_MS)]);
    for (const pauseMs of [...PAUSES_MS, null]) {
      const refused = await send(settings, body, spans, signal);
      if (refused !== null) return refused;
      if (pauseMs === null || signal.aborted || isClosing) return spans;
      await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return spans;
  };
  const exporter: SpanExporter = {
    export(spans, done) {
      const body = JsonTraceSerializer.serializeRequest(spans);
      const lost = body === undefined ? Promise.resolve(spans.length) : deliver(new Uint8Array(body), spans.length);
      void lost.then((count) => {
        queued -= spans.length;
        if (count > 0) onDropped(count);
        // oxlint-disable-next-line promise/no-callback-in-promise -- the interface of the library has a callback
        done({ code: count < spans.length ? RESULT.success : RESULT.failed });
      });
    },
    shutdown: () => Promise.resolve(),
  };
  const batches = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MOST_QUEUED,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: BATCH_MS,
    // Later than the end of an export, which is counted.
    exportTimeoutMillis: 2 * EXPORT_MS,
  });
  // The library logs what its full queue drops, and does not count it.
  const bounded: SpanProcessor = {
    onStart: () => undefined,
    onEnd(span) {
      if (queued >= MOST_QUEUED) {
        onDropped(1);
        return;
      }
      queued += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version }),
    sampler: new AlwaysOnSampler(),
    spanProcessors: [bounded],
  });
  const tracer = provider.getTracer('recollect', service.version);
  return {
    start(name, { kind, parent, links, attributes, startMs }) {
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[kind],
          links: links.map((link) => ({ context: contextOf(link) })),
          attributes: given(attributes),
          ...(startMs !== undefined && { startTime: startMs }),
        },
        parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)),
      );
      const { traceId, spanId } = span.spanContext();
      // With a given start, the library would end the span by the clock in full milliseconds.
      const sinceStart = startMs === undefined ? null : Date.now() - startMs;
      const startedMs = performance.now();
      return {
        ids: { traceId, spanId },
        set: (more) => void span.setAttributes(given(more)),
        fail: () => void span.setStatus({ code: SpanStatusCode.ERROR }),
        end: (endMs) => {
          if (startMs === undefined || sinceStart === null) span.end(endMs);
          else span.end(endMs ?? startMs + sinceStart + performance.now() - startedMs);
        },
      };
    },
    async close() {
      isClosing = true;
      const timer = setTimeout(() => ending.abort(), CLOSE_MS);
      await provider.shutdown().catch(() => undefined);
      clearTimeout(timer);
    },
  };
}
