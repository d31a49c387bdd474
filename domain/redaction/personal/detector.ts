import type { DataClass } from '../data-class.ts';

/** A kind of personal data: what it looks like, what proves it, how careful its row must be treated. */
export interface Detector {
  readonly kind: string;
  readonly dataClass: DataClass;
  /** Global; a group named `value` marks the part meant, one named `local` stands before the match. Every quantifier is bounded. */
  readonly pattern: RegExp;
  /** True when checksum, range or context prove it; `before` is the text right before it, at most 40 characters. */
  readonly accepts: (value: string, before: string) => boolean;
}
