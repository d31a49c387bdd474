import { cutMiddle, wellFormed } from '../capture/well-formed.ts';
import type { Redactor } from '../redaction/redact.ts';

/** Marks that redaction inserts. */
const MARKS = /\[(?:private|redacted:[\w-]{1,40})\]/g;
const NAME_CHARS = 256;
/** The keyword index rejects texts with more than a megabyte of words; a list of facts is unbounded. */
const CONTENT_BYTES = 256 * 1024;
const ENTRIES = 500;
/** Latest time of a JavaScript date. */
const MAX_MS = 8.64e15;

/** Returns true if a text has only marks. */
export function hasOnlyMarks(text: string): boolean {
  return text.replaceAll(MARKS, '').trim() === '';
}

/** Returns a text in storable form; '' if none. */
export function cleaned(redactor: Redactor, text: string | null): string {
  return text === null ? '' : redactor.text(text).trim();
}

/** Cleans each text of a list and drops empty ones. */
export function cleanedList(redactor: Redactor, texts: readonly string[]): string[] {
  return texts
    .slice(0, ENTRIES)
    .map((text) => redactor.text(text).trim())
    .filter((text) => !hasOnlyMarks(text));
}

/** Returns a name on one line, within the length limit. */
export function cleanedName(redactor: Redactor, text: string | null): string | null {
  const name = cleaned(redactor, text).replaceAll(/\s+/g, ' ').slice(0, NAME_CHARS).toWellFormed();
  return name === '' ? null : name;
}

export function joined(texts: readonly string[]): string {
  return cutMiddle(wellFormed(texts.filter((text) => text !== '').join('\n')), CONTENT_BYTES);
}

/** Returns a storable time in milliseconds, without a fraction; null if the column has none. */
export function momentOf(epochMs: number | null): number | null {
  return epochMs === null || !Number.isFinite(epochMs) || epochMs < 0 || epochMs > MAX_MS / 100
    ? null
    : Math.floor(epochMs);
}

/** Drops null and empty entries of an object. */
export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
