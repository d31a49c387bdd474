import { clamped } from '../notes/notes.ts';

/** What speaks for a learning, and what against it. */
interface Grounds {
  /** How much a learning of this kind is worth on its own: 0–1. */
  readonly base: number;
  /** The cause or the reason was said. */
  readonly explained?: boolean;
  /** A run of the tests, the compiler or the linter showed it. */
  readonly verified?: boolean;
  /** It was said or seen more than once. */
  readonly repeated?: boolean;
  /** The words leave doubt ("maybe", "I think"). */
  readonly hedged?: boolean;
}

/** base + 0.15 if explained + 0.1 if verified + 0.1 if repeated − 0.15 if hedged, between 0.2 and 0.95. */
export function confidenceOf({ base, explained, verified, repeated, hedged }: Grounds): number {
  const sum = base + (explained ? 0.15 : 0) + (verified ? 0.1 : 0) + (repeated ? 0.1 : 0) - (hedged ? 0.15 : 0);
  return clamped(sum, 0.2, 0.95);
}
