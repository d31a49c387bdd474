import { cutMiddle, wellFormed } from '../capture/well-formed.ts';
import type { Redactions } from '../capture/event.ts';
import { removeTaggedText } from './private-text.ts';
import { isSecretField, removeSecrets } from './secrets.ts';

/** JSON deeper than this is not followed: what lies below is dropped and noted. */
const MAX_DEPTH = 40;

/**
 * Makes the values of one row fit to be stored: private passages, injected context and secrets are taken out first, so that cutting
 * never leaves half of one behind; then text is made well-formed and cut. Counts what it removed.
 */
export class Redactor {
  private readonly removed = new Map<string, number>();

  text(value: string): string {
    return cutMiddle(removeSecrets(removeTaggedText(wellFormed(value), this.removed), this.removed));
  }

  /** The same for every string inside a JSON value, keys included. */
  json(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value !== 'object') return value;
    if (depth >= MAX_DEPTH) return '[too deep]';
    if (Array.isArray(value)) return value.map((entry: unknown) => this.json(entry, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => [this.text(name), this.field(name, entry, depth)]),
    );
  }

  private field(name: string, value: unknown, depth: number): unknown {
    if (!isSecretField(name)) return this.json(value, depth + 1);
    if (Array.isArray(value) && depth < MAX_DEPTH)
      return value.map((entry: unknown) => this.field(name, entry, depth + 1));
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return this.json(value, depth + 1);
    this.removed.set('secret-field', (this.removed.get('secret-field') ?? 0) + 1);
    return '[redacted:secret-field]';
  }

  /** Removed pieces by kind so far; null for none. */
  get counts(): Redactions {
    return this.removed.size === 0 ? null : Object.fromEntries(this.removed);
  }
}
