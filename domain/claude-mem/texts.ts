import { cutMiddle, wellFormed } from '../capture/well-formed.ts';
import type { Redactor } from '../redaction/redact.ts';

/** What redaction leaves in the place of what it took out. */
const MARKS = /\[(?:private|redacted:[\w-]{1,40})\]/g;
const NAME_CHARS = 256;
/** The keyword index refuses a text of more than a megabyte of words; a list of facts may be as long as it likes. */
const CONTENT_BYTES = 256 * 1024;
const ENTRIES = 500;
/** The last moment that a date can say. */
const MAX_MS = 8.64e15;

/** True for a text of which nothing but marks is left. */
export function saysNothing(text: string): boolean {
  return text.replaceAll(MARKS, '').trim() === '';
}

/** A text as it may be stored; '' for none. */
export function cleaned(redactor: Redactor, text: string | null): string {
  return text === null ? '' : redactor.text(text).trim();
}

/** The same for each of a list; what is emptied by it is left out. */
export function cleanedList(redactor: Redactor, texts: readonly string[]): string[] {
  return texts
    .slice(0, ENTRIES)
    .map((text) => redactor.text(text).trim())
    .filter((text) => !saysNothing(text));
}

/** A name or a word: one line, not longer than names are. */
export function cleanedName(redactor: Redactor, text: string | null): string | null {
  const name = cleaned(redactor, text).replaceAll(/\s+/g, ' ').slice(0, NAME_CHARS).toWellFormed();
  return name === '' ? null : name;
}

export function joined(texts: readonly string[]): string {
  return cutMiddle(wellFormed(texts.filter((text) => text !== '').join('\n')), CONTENT_BYTES);
}

/** A moment that can be stored, in whole milliseconds; null where the column holds none. */
export function momentOf(epochMs: number | null): number | null {
  return epochMs === null || !Number.isFinite(epochMs) || epochMs < 0 || epochMs > MAX_MS / 100
    ? null
    : Math.floor(epochMs);
}

/** The entries of an object that are something. */
export function present(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== null && value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  );
}
