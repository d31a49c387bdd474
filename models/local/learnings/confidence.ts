import { clamped } from '../notes/notes.ts';

/** Factors of a learning's confidence. */
interface Grounds {
  /** Confidence of this kind of learning by itself: 0–1. */
  readonly base: number;
  /** The record states the cause or the reason. */
  readonly explained?: boolean;
  /** A run of the tests, the compiler or the linter confirmed it. */
  readonly verified?: boolean;
  /** It occurred more than once. */
  readonly repeated?: boolean;
  /** The words express doubt ("maybe", "I think"). */
  readonly hedged?: boolean;
}

/** base + 0.15 if explained + 0.1 if verified + 0.1 if repeated − 0.15 if hedged, between 0.2 and 0.95. */
export function confidenceOf({ base, explained, verified, repeated, hedged }: Grounds): number {
  const sum = base + (explained ? 0.15 : 0) + (verified ? 0.1 : 0) + (repeated ? 0.1 : 0) - (hedged ? 0.15 : 0);
  return clamped(sum, 0.2, 0.95);
}
