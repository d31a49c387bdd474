import { createHash } from 'node:crypto';
import type { Redactions } from '../capture/event.ts';
import { byteLength, cutMiddle, VALUE_LIMIT_BYTES, wellFormed } from '../capture/well-formed.ts';
import { higherClass } from '../data-classes.ts';
import type { DataClass } from '../data-classes.ts';
import { detectorsFor, PERSONAL_KINDS, treatPersonalData } from './personal/personal-data.ts';
import { removeTaggedText } from './private-text.ts';
import type { OpenPassage } from './private-text.ts';
import { isSecretField, removeSecrets } from './secrets.ts';
import { NOTHING, scanText } from './text-scan.ts';

/** Deeper JSON is dropped and noted. */
const MAX_DEPTH = 40;
/** Every tag, secret and address is at least this long. */
const SHORTEST_CHARS = 8;
const MARKED_RESTRICTED = new RegExp(
  `\\[redacted:(?:${[...PERSONAL_KINDS].flatMap(([kind, dataClass]) => (dataClass === 'restricted' ? [kind] : [])).join('|')})\\]`,
);

export interface RedactionOptions {
  /** Classes of personal data to remove from the text; others remain in the text, and set the row's class. */
  readonly removeClasses?: readonly DataClass[] | undefined;
  /** Also return the full values of truncated texts, redacted. */
  readonly storeFullValue?: boolean | undefined;
}

/** A redacted value that was too long for its row. */
export interface FullValue {
  /** Hex SHA-256 of the text's UTF-8 bytes; the note in the row names it. */
  readonly sha256: string;
  readonly text: string;
}

/**
 * Prepares the values of one row for storage: removes private passages, injected context, secrets and restricted personal data first, so that
 * truncation never leaves half of one; then repairs malformed text and truncates it. Counts removals.
 */
export class Redactor {
  private readonly removed = new Map<string, number>();
  private readonly removeClasses: ReadonlySet<DataClass>;
  private readonly storeFullValue: boolean;
  private readonly stored = new Map<string, FullValue>();
  private personalClass: DataClass = 'internal';
  /** The tagged passage that was open at the end of the last block of a list. */
  private open: OpenPassage | null = null;
  private oversized = false;

  constructor(options: RedactionOptions = {}) {
    this.removeClasses = new Set(options.removeClasses ?? ['restricted']);
    this.storeFullValue = options.storeFullValue ?? false;
  }

  /** Clean, well-formed, at most `VALUE_LIMIT_BYTES` long. */
  text(value: string): string {
    return this.cut(this.cleanText(value));
  }

  /** The same for every string inside a JSON value, keys included. */
  json(value: unknown): unknown {
    return this.cutJson(this.cleanJson(value));
  }

  /** Clean and well-formed, of any length: for text that is rendered into another one and truncated there. */
  cleanText(value: string): string {
    this.open = null;
    const clean = this.clean(value);
    this.open = null;
    return clean;
  }

  /** The same for every string inside a JSON value. A passage that one list element opens continues in the next ones. */
  cleanJson(value: unknown): unknown {
    this.open = null;
    const clean = this.entry(value, 0);
    this.open = null;
    return clean;
  }

  /** Cuts the middle out of a clean text over the limit; with `storeFullValue` the note names the full value in `fullValues`. */
  cut(text: string): string {
    if (!this.storeFullValue || text.length * 3 <= VALUE_LIMIT_BYTES || byteLength(text) <= VALUE_LIMIT_BYTES)
      return cutMiddle(text);
    const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
    this.stored.set(sha256, { sha256, text });
    return cutMiddle(text, VALUE_LIMIT_BYTES, sha256);
  }

  /** The same for every string inside a clean JSON value; returns the value itself if none is too long. */
  cutJson(value: unknown): unknown {
    return this.oversized ? this.cutEntry(value) : value;
  }

  /** Removed pieces by kind; null for none. */
  get counts(): Redactions {
    return this.removed.size === 0 ? null : Object.fromEntries(this.removed);
  }

  /** The highest class found, removed values included. */
  get dataClass(): DataClass {
    let dataClass = this.personalClass;
    for (const kind of this.removed.keys())
      if (kind !== 'injected') dataClass = higherClass(dataClass, PERSONAL_KINDS.get(kind) ?? 'confidential');
    return dataClass;
  }

  /** Full values of truncated texts, without duplicates; empty without `storeFullValue`. */
  get fullValues(): FullValue[] {
    return [...this.stored.values()];
  }

  private clean(value: string): string {
    const clean = this.redacted(wellFormed(value));
    if (clean.length * 3 > VALUE_LIMIT_BYTES) this.oversized = true;
    return clean;
  }

  private redacted(text: string): string {
    if (text.length < SHORTEST_CHARS) return this.open === null ? text : '';
    let signs = scanText(text);
    if (signs === NOTHING && this.open === null && !text.includes('@')) return text;
    // Marks of an earlier redaction still determine the class.
    if (signs.marks) this.personalClass = higherClass(this.personalClass, classOfMarks(text));
    let clean = text;
    if (signs.tags || this.open !== null) {
      const untagged = removeTaggedText(text, this.removed, this.open);
      this.open = untagged.open;
      clean = untagged.text;
      // Removing a passage can join its two sides into a match.
      signs = scanText(clean);
    }
    clean = removeSecrets(clean, this.removed, signs);
    const detectors = detectorsFor(clean, signs.personal);
    if (detectors.length === 0) return clean;
    const personal = treatPersonalData(clean, detectors, this.removeClasses, this.removed);
    this.personalClass = higherClass(this.personalClass, personal.dataClass);
    return personal.text;
  }

  private entry(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.clean(value);
    if (value === null || typeof value !== 'object') return this.open === null ? value : null;
    if (depth >= MAX_DEPTH) return '[too deep]';
    if (Array.isArray(value)) return value.map((entry: unknown) => this.entry(entry, depth + 1));
    return this.fields(value, depth);
  }

  /** Fields are separate values: each starts in the passage that the object started in, and ends for itself. */
  private fields(value: object, depth: number): Record<string, unknown> {
    const before = this.open;
    let after = before;
    const clean: Record<string, unknown> = {};
    const entries = Object.entries(value);
    const named = entries.length > 1 && namesSecret(entries);
    for (const [name, entry] of entries) {
      this.open = null;
      const cleanName = this.clean(name);
      // A block's type is set by the host and determines how the block is rendered.
      this.open = name === 'type' && typeof entry === 'string' ? null : before;
      const cleanEntry = this.field(named && name === 'value' ? 'secret' : name, entry, depth);
      if (name !== 'type' && this.open !== before && (this.open !== null || after === before)) after = this.open;
      if (cleanName === '__proto__')
        Object.defineProperty(clean, cleanName, {
          value: cleanEntry,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      else clean[cleanName] = cleanEntry;
    }
    this.open = after;
    return clean;
  }

  private field(name: string, value: unknown, depth: number): unknown {
    if (!isSecretField(name)) return this.entry(value, depth + 1);
    if (Array.isArray(value) && depth < MAX_DEPTH)
      return value.map((entry: unknown) => this.field(name, entry, depth + 1));
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return this.entry(value, depth + 1);
    // Marks of an earlier redaction remain; they were counted there.
    if (typeof value === 'string' && /^\[redacted:[\w-]{1,40}\]$/.test(value)) return this.entry(value, depth + 1);
    this.removed.set('secret-field', (this.removed.get('secret-field') ?? 0) + 1);
    return '[redacted:secret-field]';
  }

  private cutEntry(value: unknown): unknown {
    if (typeof value === 'string') return this.cut(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map((entry: unknown) => this.cutEntry(entry));
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [this.cut(name), this.cutEntry(entry)]));
  }
}

function classOfMarks(text: string): DataClass {
  return MARKED_RESTRICTED.test(text) ? 'restricted' : 'confidential';
}

/** Returns true for `{ "name": "DB_PASSWORD", "value": "…" }`, the form of variable and header lists. */
function namesSecret(entries: readonly (readonly [string, unknown])[]): boolean {
  return (
    entries.some(([name]) => name === 'value') &&
    entries.some(
      ([name, entry]) => (name === 'name' || name === 'key') && typeof entry === 'string' && isSecretField(entry),
    )
  );
}
