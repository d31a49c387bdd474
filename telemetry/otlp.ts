import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanIds } from './active-span.ts';
import type { Exporter, ExporterSettings, SpanValues } from './tracing.ts';

/** Spans that wait for the collector; further ones are dropped. One takes some kilobytes. */
const MOST_QUEUED = 4_096;
const BATCH = 512;
const BATCH_MS = 2_000;
/** A request to the collector, retries included, ends after this time. */
const EXPORT_MS = 5_000;
const CLOSE_MS = 1_000;
/** `ExportResultCode.SUCCESS` of the library. */
const SUCCESS = 0;

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

/**
 * Exports spans to a collector by OTLP over HTTP. What starts a span decides that it is recorded: nothing is sampled here. Nothing waits for
 * the collector: spans that it does not receive in time are dropped and counted.
 */
export function createOtlpExporter(
  { url, headers }: ExporterSettings,
  service: { readonly name: string; readonly version: string },
  onDropped: (count: number) => void,
): Exporter {
  const options = { keepAlive: true, maxSockets: 2 };
  const agent = url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  const collector = new OTLPTraceExporter({
    url,
    headers: { ...headers },
    timeoutMillis: EXPORT_MS,
    httpAgentOptions: () => agent,
  });
  let queued = 0;
  let isClosed = false;
  const counted: SpanExporter = {
    export(spans, done) {
      collector.export(spans, (result) => {
        queued -= spans.length;
        if (Number(result.code) !== SUCCESS && !isClosed) onDropped(spans.length);
        done(result);
      });
    },
    forceFlush: () => collector.forceFlush(),
    shutdown: () => collector.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counted,
    maxQueueSize: MOST_QUEUED,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: BATCH_MS,
    // Later than the exporter itself, whose answer is counted.
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
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_MS);
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
      isClosed = true;
      if (queued > 0) onDropped(queued);
      // A request in progress would keep the process running.
      agent.destroy();
    },
  };
}
