import { activeSpan, runInSpan } from './active-span.ts';
import type { RunningSpan, SpanIds } from './active-span.ts';

export type SpanValues = Readonly<Record<string, string | number | boolean | undefined>>;

/** `server`: a request; `internal`: a part of it, or a unit of work; `client`: a request to another service. */
export type SpanKind = 'server' | 'internal' | 'client';

export interface SpanOptions {
  readonly kind: SpanKind;
  /** Null: the first span of a new trace. */
  readonly parent: SpanIds | null;
  readonly links: readonly SpanIds[];
  readonly attributes: SpanValues;
  /** Milliseconds since 1970; by default now. */
  readonly startMs?: number;
}

/** A span of the library that exports it. */
export interface OpenSpan {
  readonly ids: SpanIds;
  set(attributes: SpanValues): void;
  fail(): void;
  /** `endMs`: milliseconds since 1970; by default now. */
  end(endMs?: number): void;
}

/** Creates and exports spans. */
export interface SpanSource {
  start(name: string, options: SpanOptions): OpenSpan;
}

/** Exports spans to a collector. */
export interface Exporter extends SpanSource {
  /** Exports what is queued, for at most a second. Never rejects. */
  close(): Promise<void>;
}

/** `onDropped`: called with the number of spans that did not reach the collector. */
export type CreateExporter = (onDropped: (count: number) => void) => Exporter;

export interface ExporterSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
}

/** Loads the libraries that export spans, unless nothing is traced: then returns null, and nothing is loaded. */
export async function loadExporter(
  process: 'api' | 'worker',
  version: string,
  settings: ExporterSettings | null,
): Promise<CreateExporter | null> {
  if (settings === null) return null;
  const { createOtlpExporter } = await import('./otlp.ts');
  const service = { name: `${settings.service}-${process}`, version };
  return (onDropped) => createOtlpExporter(settings, service, onDropped);
}

/** Links of a span: the marks beyond are counted in an attribute. */
const MOST_LINKS = 32;
/** A name or code of an error: other text could be content. */
const CODE = /^[A-Za-z][\w.-]{0,63}$/;

/** Returns the name and code of an error, without its message. */
function errorCodes(error: unknown): SpanValues {
  if (!(error instanceof Error)) return { 'error.type': 'unknown' };
  const code = 'code' in error && typeof error.code === 'string' && CODE.test(error.code) ? error.code : undefined;
  return { 'error.type': CODE.test(error.name) ? error.name : 'Error', 'error.code': code };
}

/** A span that work runs in. */
export class TracedSpan {
  private readonly open: OpenSpan;
  private readonly running: RunningSpan;

  constructor(open: OpenSpan) {
    this.open = open;
    this.running = { ids: open.ids, isEnded: false };
  }

  get ids(): SpanIds {
    return this.open.ids;
  }

  note(attributes: SpanValues): void {
    this.open.set(attributes);
  }

  /** Runs work whose steps become children of this span; returns what it returns. */
  run<Result>(work: () => Result): Result {
    return runInSpan(this.running, work);
  }

  fail(): void {
    this.open.fail();
  }

  /** Ends the span, once; with an error, as failed. */
  end(error?: unknown): void {
    if (this.running.isEnded) return;
    this.running.isEnded = true;
    if (error !== undefined) {
      this.open.set(errorCodes(error));
      this.open.fail();
    }
    this.open.end();
  }
}

/** Records nothing. */
const NO_SPAN = { note: () => undefined, run: <Result>(work: () => Result) => work(), end: () => undefined };

interface ReadMarks {
  readonly marks: readonly SpanIds[];
  readonly total: number;
}

export interface TracingOptions {
  readonly source: SpanSource;
  /** Share of requests that are traced, 0 to 1. */
  readonly share: number;
  /** Returns attributes of every unit of work, such as the attempt. */
  readonly ofUnits?: () => SpanValues;
  /** A unit of work began. */
  readonly onUnit?: (ids: SpanIds) => void;
}

/** The spans of a process: `Tracer` of domain/ports, and requests. */
export class Tracing {
  private readonly options: TracingOptions;

  constructor(options: TracingOptions) {
    this.options = options;
  }

  active(): SpanIds | null {
    return activeSpan();
  }

  /** Decides for a request that no caller decided for. */
  isDrawn(): boolean {
    return Math.random() < this.options.share;
  }

  /** Starts the span of a request. */
  request(name: string, parent: SpanIds | null, startMs: number, attributes: SpanValues): TracedSpan {
    return new TracedSpan(this.options.source.start(name, { kind: 'server', parent, links: [], startMs, attributes }));
  }

  /** Records a child of the active span that ends now. */
  ended(name: string, seconds: number): void {
    const parent = activeSpan();
    if (parent === null) return;
    const nowMs = Date.now();
    this.options.source
      .start(name, { kind: 'internal', parent, links: [], attributes: {}, startMs: nowMs - seconds * 1_000 })
      .end(nowMs);
  }

  async begin(
    name: string,
    readMarks: () => Promise<ReadMarks> | ReadMarks,
    attributes: SpanValues = {},
  ): Promise<TracedSpan | typeof NO_SPAN> {
    // Without its marks the work is done all the same; if PostgreSQL is the cause, the work meets it again.
    const { marks, total } = await Promise.resolve()
      .then(readMarks)
      .catch(() => ({ marks: [], total: 0 }));
    const [parent, ...others] = marks;
    if (parent === undefined) return NO_SPAN;
    const links = others.slice(0, MOST_LINKS);
    const more = total - 1 - links.length;
    const { source, ofUnits, onUnit } = this.options;
    const span = new TracedSpan(
      source.start(name, {
        kind: 'internal',
        parent,
        links,
        attributes: { ...ofUnits?.(), ...attributes, ...(more > 0 && { 'recollect.links_omitted': more }) },
      }),
    );
    onUnit?.(span.ids);
    return span;
  }

  async unit<Result>(
    name: string,
    readMarks: () => Promise<ReadMarks> | ReadMarks,
    work: (span: Pick<TracedSpan, 'note'>) => Promise<Result>,
    attributes: SpanValues = {},
  ): Promise<Result> {
    return inside(await this.begin(name, readMarks, attributes), work);
  }

  async step<Result>(
    name: string,
    work: (span: Pick<TracedSpan, 'note'>) => Promise<Result>,
    attributes: SpanValues = {},
  ): Promise<Result> {
    const parent = activeSpan();
    if (parent === null) return work(NO_SPAN);
    const kind = 'gen_ai.operation.name' in attributes || 'db.system.name' in attributes ? 'client' : 'internal';
    return inside(new TracedSpan(this.options.source.start(name, { kind, parent, links: [], attributes })), work);
  }
}

async function inside<Result>(
  span: TracedSpan | typeof NO_SPAN,
  work: (span: Pick<TracedSpan, 'note'>) => Promise<Result>,
): Promise<Result> {
  try {
    const result = await span.run(() => work(span));
    span.end();
    return result;
  } catch (error) {
    // `undefined` is an error, too.
    span.end(error ?? new Error('unknown'));
    throw error;
  }
}
