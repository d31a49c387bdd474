import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import type { SpeedCorpus } from '../recall/speed-corpus.ts';
import { request } from './api.ts';

export const QUESTIONS = 200;
const FOUND = 10;
const TEXTS = 20_000;

type Ids = readonly (readonly string[])[];

export interface Answers {
  /** Ids of searches for a word of a single memory, as of a fixed time. */
  readonly exact: Ids;
  /** Ids, best first, of searches for phrases of many memories, as of the same time: vectors affect their order. */
  readonly phrases: Ids;
  /** Ids of the nearest memories by vector. */
  readonly nearest: Ids;
}

const answer = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

async function idsOf(answered: Promise<unknown>): Promise<string[]> {
  return answer.parse(await answered).data.map(({ id }) => id);
}

/** Returns a verbatim phrase of the n-th text, which some memories contain. */
function phraseOf(corpus: SpeedCorpus, n: number): string {
  const words = corpus.memory((n * 97) % TEXTS, []).text.split(/\s+/u);
  return words.slice(1, 5).join(' ').replaceAll('"', '');
}

/** Returns the n-th query for a word of a single memory. */
export function exactly(n: number, observations: number): string {
  return `"n${Math.floor((n * observations) / QUESTIONS)}"`;
}

/** Sends the same queries through the public API. */
export async function queryAll(
  instance: Pick<BenchInstance, 'url' | 'key'>,
  corpus: SpeedCorpus,
  asOf: string,
  observations: number,
): Promise<Answers> {
  const searched = (q: string): Promise<string[]> =>
    idsOf(
      request(instance, 'GET', `/search?${new URLSearchParams({ q, as_of: asOf, limit: String(FOUND) }).toString()}`),
    );
  const exact: string[][] = [];
  const phrases: string[][] = [];
  const nearest: string[][] = [];
  for (let n = 0; n < QUESTIONS; n += 1) {
    exact.push(await searched(exactly(n, observations)));
    phrases.push(await searched(`"${phraseOf(corpus, n)}"`));
    nearest.push(await idsOf(request(instance, 'POST', '/search/semantic', { q: corpus.question(n), limit: FOUND })));
  }
  return { exact, phrases, nearest };
}

/** Returns the percentage of queries with identical ids in identical order. */
export function sameShare(before: Ids, after: Ids): number {
  const same = before.filter((ids, n) => ids.join() === after[n]?.join()).length;
  return Math.round((same / before.length) * 1_000) / 10;
}

/** Returns the share of the first ten results before that are among those after, over all queries with results. */
export function overlap(before: Ids, after: Ids): number {
  const shares = before.flatMap((ids, n) => {
    if (ids.length === 0) return [];
    const later = new Set(after[n]);
    return [ids.filter((id) => later.has(id)).length / ids.length];
  });
  return Math.round((shares.reduce((sum, share) => sum + share, 0) / shares.length) * 10_000) / 10_000;
}
