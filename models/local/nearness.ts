import { overlap, termsOf } from '../../domain/text/terms.ts';
import type { Candidate } from './learnings/candidate.ts';

/**
 * Returns the similarity of two notes by words, 0–1. A sentence equals a longer one with all its words; for commands, and for statements
 * compared with requests, the longer one counts.
 */
export function nearByWords(left: Candidate, right: Candidate): number {
  const shared = overlap(left.terms, right.terms);
  const isSpeech = left.place !== 'point' && right.place !== 'point';
  if (isSpeech && left.isFromUser === right.isFromUser) return shared;
  const sizes = [new Set(left.terms).size, new Set(right.terms).size];
  return (shared * Math.min(...sizes)) / Math.max(...sizes, 1);
}

/** Returns a function for a note's similarity to the nearest of the known texts, 0–1: the common share of their words. */
export function nearKnown(known: readonly string[]): (candidate: Candidate) => number {
  const knownTerms = known.map((text) => termsOf(text));
  return ({ terms }) => knownTerms.reduce((most, other) => Math.max(most, overlap(terms, other)), 0);
}
