import { createHash } from 'node:crypto';
import type { Redactions } from '../capture/event.ts';
import { byteLength, cutMiddle, VALUE_LIMIT_BYTES, wellFormed } from '../capture/well-formed.ts';
import { higherClass } from './data-class.ts';
import type { DataClass } from './data-class.ts';
import { detectorsFor, PERSONAL_KINDS, treatPersonalData } from './personal/personal-data.ts';
import { removeTaggedText } from './private-text.ts';
import type { OpenPassage } from './private-text.ts';
import { isSecretField, removeSecrets } from './secrets.ts';
import { NOTHING, scanText } from './text-scan.ts';

/** JSON deeper than this is not followed: what lies below is dropped and noted. */
const MAX_DEPTH = 40;
/** No tag, secret or address that is looked for is shorter. */
const SHORTEST_CHARS = 8;
const MARKED_RESTRICTED = new RegExp(
  `\\[redacted:(?:${[...PERSONAL_KINDS].flatMap(([kind, dataClass]) => (dataClass === 'restricted' ? [kind] : [])).join('|')})\\]`,
);

export interface RedactionOptions {
  /** Classes of personal data that are taken out of the text; of the others the text keeps what was found, and the row its class. */
  readonly removeClasses?: readonly DataClass[] | undefined;
  /** Values that are cut are handed out whole, too, redacted. */
  readonly storeFullValue?: boolean | undefined;
}

/** A value that was too long for its row, redacted. */
export interface FullValue {
  /** Hex SHA-256 of the text's UTF-8 bytes; the note in the row names it. */
  readonly sha256: string;
  readonly text: string;
}

/**
 * Makes the values of one row fit to be stored: private passages, injected context, secrets and restricted personal data are taken out
 * first, so that cutting never leaves half of one behind; then text is made well-formed and cut. Counts what it removed.
 */
export class Redactor {
  private readonly removed = new Map<string, number>();
  private readonly removeClasses: ReadonlySet<DataClass>;
  private readonly storeFullValue: boolean;
  private readonly kept = new Map<string, FullValue>();
  private personalClass: DataClass = 'internal';
  /** The tagged passage in which the block of a list ended that was last read. */
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

  /** Clean and well-formed, as long as it is: for what is rendered into another text and cut there. */
  cleanText(value: string): string {
    this.open = null;
    const clean = this.clean(value);
    this.open = null;
    return clean;
  }

  /** The same for every string inside a JSON value. A passage that one element of a list opens goes on in the elements after it. */
  cleanJson(value: unknown): unknown {
    this.open = null;
    const clean = this.entry(value, 0);
    this.open = null;
    return clean;
  }

  /** Cuts a clean text over the limit in the middle; with `storeFullValue` the note names the whole, which `wholes` then has. */
  cut(text: string): string {
    if (!this.storeFullValue || text.length * 3 <= VALUE_LIMIT_BYTES || byteLength(text) <= VALUE_LIMIT_BYTES)
      return cutMiddle(text);
    const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
    this.kept.set(sha256, { sha256, text });
    return cutMiddle(text, VALUE_LIMIT_BYTES, sha256);
  }

  /** The same for every string inside a clean JSON value; the value itself where none is too long. */
  cutJson(value: unknown): unknown {
    return this.oversized ? this.cutEntry(value) : value;
  }

  /** Removed pieces by kind so far; null for none. */
  get counts(): Redactions {
    return this.removed.size === 0 ? null : Object.fromEntries(this.removed);
  }

  /** The highest class of what was found so far, what was removed included. */
  get dataClass(): DataClass {
    let dataClass = this.personalClass;
    for (const kind of this.removed.keys())
      if (kind !== 'injected') dataClass = higherClass(dataClass, PERSONAL_KINDS.get(kind) ?? 'confidential');
    return dataClass;
  }

  /** Whole values of what was cut so far, each once; empty without `storeFullValue`. */
  get fullValues(): FullValue[] {
    return [...this.kept.values()];
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
    // What a client took out before it sent the text still says what the row is.
    if (signs.marks) this.personalClass = higherClass(this.personalClass, classOfMarks(text));
    let clean = text;
    if (signs.tags || this.open !== null) {
      const untagged = removeTaggedText(text, this.removed, this.open);
      this.open = untagged.open;
      clean = untagged.text;
      // What stood on both sides of a passage may be something only now that it is gone.
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

  /** Fields are values of their own: each begins in the passage that the object began in, and ends for itself. */
  private fields(value: object, depth: number): Record<string, unknown> {
    const before = this.open;
    let after = before;
    const clean: Record<string, unknown> = {};
    const entries = Object.entries(value);
    const named = entries.length > 1 && namesSecret(entries);
    for (const [name, entry] of entries) {
      this.open = null;
      const cleanName = this.clean(name);
      // A block's type is the host's word and tells how the block is rendered.
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
    // What an earlier redaction left there stays; it is counted where it was taken out.
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

/** True for `{ "name": "DB_PASSWORD", "value": "…" }`, as lists of variables and headers are written. */
function namesSecret(entries: readonly (readonly [string, unknown])[]): boolean {
  return (
    entries.some(([name]) => name === 'value') &&
    entries.some(
      ([name, entry]) => (name === 'name' || name === 'key') && typeof entry === 'string' && isSecretField(entry),
    )
  );
}
