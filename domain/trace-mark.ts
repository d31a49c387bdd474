/** Place of a span in a trace: ids in lower-case hex, 32 and 16 digits. */
export interface TraceMark {
  readonly traceId: string;
  readonly spanId: string;
}

/** A place in a caller's trace. */
export interface CallerMark extends TraceMark {
  /** The caller records its trace. */
  readonly isSampled: boolean;
}

/** Marks that a unit of work reads: one is continued, the others are linked. */
export const MOST_MARKS = 33;

/** Trace id, span id, flags. A mark is written for sampled captures only. */
const MARK = /^([0-9a-f]{32})([0-9a-f]{16})01$/;
const SAMPLED = '01';
/** A newer version may append fields; `ff` is no version. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/;
const MOST_TRACEPARENT_CHARS = 256;

/** Returns a mark as it is stored: 25 bytes in hex. */
export function markText({ traceId, spanId }: TraceMark): string {
  return `${traceId}${spanId}${SAMPLED}`;
}

/** Returns a stored mark; null for other text. */
export function readMark(hex: string): TraceMark | null {
  const [, traceId, spanId] = MARK.exec(hex) ?? [];
  return traceId === undefined || spanId === undefined ? null : { traceId, spanId };
}

/** Returns the place that a header `traceparent` (W3C Trace Context) names; null if it is missing or malformed. */
export function readTraceparent(header: unknown): CallerMark | null {
  if (typeof header !== 'string' || header.length > MOST_TRACEPARENT_CHARS) return null;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}
