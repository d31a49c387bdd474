import { setTimeout as pause } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
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

/** Sends a request to the collector; returns true if it accepted it, null if it may do so later. */
async function send(
  { url, headers }: ExporterSettings,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<boolean | null> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal,
      redirect: 'error',
    });
    await answer.body?.cancel();
    return answer.ok || (RETRIED.has(answer.status) ? null : false);
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
  /** Sends a batch, again after transient failures. Returns true if the collector accepted it; never rejects. */
  const deliver = async (body: Uint8Array<ArrayBuffer>): Promise<boolean> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(EXPORT_MS)]);
    for (const pauseMs of [...PAUSES_MS, null]) {
      const isAccepted = await send(settings, body, signal);
      if (isAccepted !== null) return isAccepted;
      if (pauseMs === null || signal.aborted || isClosing) return false;
      await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return false;
  };
  const exporter: SpanExporter = {
    export(spans, done) {
      const body = JsonTraceSerializer.serializeRequest(spans);
      const delivered = body === undefined ? Promise.resolve(false) : deliver(new Uint8Array(body));
      void delivered.then((isDelivered) => {
        queued -= spans.length;
        if (!isDelivered) onDropped(spans.length);
        // oxlint-disable-next-line promise/no-callback-in-promise -- the interface of the library has a callback
        done({ code: isDelivered ? RESULT.success : RESULT.failed });
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
