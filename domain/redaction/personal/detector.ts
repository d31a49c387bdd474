import type { DataClass } from '../data-class.ts';

/** A kind of personal data: its pattern, its validation and its class. */
export interface Detector {
  readonly kind: string;
  readonly dataClass: DataClass;
  /** Global; a group named `value` marks the relevant part, one named `local` precedes the match. Every quantifier is bounded. */
  readonly pattern: RegExp;
  /** Returns true if checksum, range or context confirm it; `before` is the preceding text, at most 40 characters. */
  readonly accepts: (value: string, before: string) => boolean;
}
