import type { TraceMark } from '../trace-mark.ts';

/** Ids, counts, sizes and codes: never content, titles, paths, queries or keys. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** The marks that a unit of work continues, the newest first. */
export interface Marks {
  /** At most `MOST_MARKS`. */
  readonly marks: readonly TraceMark[];
  /** Number of all marks. */
  readonly total: number;
}

/** A span in progress; without tracing, one that records nothing. */
export interface Span {
  note(attributes: SpanAttributes): void;
  /** Runs work whose steps become children of the span. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Ends the span; with an error, as failed: its name and code are recorded, its message is not. */
  end(error?: unknown): void;
}

/** Records what work belongs to sampled captures and requests. */
export interface Tracer {
  /** Place of the active span; null if there is none. */
  active(): TraceMark | null;
  /**
   * Begins a span of a unit of work, which continues the newest mark and links the others. Without marks nothing is recorded; without tracing
   * they are not read. A failure to read them is no failure of the work.
   */
  begin(name: string, readMarks: () => Promise<Marks> | Marks, attributes?: SpanAttributes): Promise<Span>;
  /** Runs a unit of work in such a span. */
  unit<Result>(
    name: string,
    readMarks: () => Promise<Marks> | Marks,
    work: (span: Pick<Span, 'note'>) => Promise<Result>,
    attributes?: SpanAttributes,
  ): Promise<Result>;
  /** Runs a part of a unit in a child of the active span; without an active span nothing is recorded. */
  step<Result>(
    name: string,
    work: (span: Pick<Span, 'note'>) => Promise<Result>,
    attributes?: SpanAttributes,
  ): Promise<Result>;
}

/** Records nothing. */
const NO_SPAN: Span = { note: () => undefined, run: (work) => work(), end: () => undefined };

/** Tracing that is off. */
export const NO_TRACER: Tracer = {
  active: () => null,
  begin: () => Promise.resolve(NO_SPAN),
  unit: (_name, _readMarks, work) => work(NO_SPAN),
  step: (_name, work) => work(NO_SPAN),
};
