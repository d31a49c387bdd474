import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitUnderstood, replaySessions, sharedHooks } from '../summarise/replay.ts';
import { awaitIndexed, searchByApi, sessionNames } from './api.ts';
import { measureOutage, withInstance } from './outage.ts';
import type { RecallFigures } from '../figures.ts';
import { createRetrieverReader, rankedBy, VARIANT_NAMES } from './retrievers.ts';
import type { JudgedQuery, Variant } from './retrievers.ts';
import { dataDirectory } from '../command-line.ts';
import { scoreHits } from './scores.ts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const DIRECTORY = new URL('../../../../shared/data/coding-sessions/', import.meta.url);

const question = z.looseObject({
  id: z.string(),
  type: z.string(),
  question: z.string(),
  gold_events: z.array(z.string()),
  gold_sessions: z.array(z.string()),
});
const event = z.looseObject({ session_id: z.string(), event_id: z.string(), tool_use_id: z.string().optional() });

type CodingQuestion = z.output<typeof question>;

function linesOf(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

/** Returns queries about the shared coding sessions; null without the data beside the repository. */
export function readCodingQuestions(): readonly CodingQuestion[] | null {
  if (!existsSync(DIRECTORY)) return null;
  return z.array(question).parse(linesOf(readFileSync(new URL('questions.jsonl', DIRECTORY), 'utf8')));
}

/** Returns the event of each row, by session and key of `replaySessions`: a tool's id, or the place in the session. */
function eventsByKey(): ReadonlyMap<string, string> {
  const events = new URL('events/', DIRECTORY);
  const named = new Map<string, string>();
  for (const file of readdirSync(events)) {
    linesOf(readFileSync(new URL(file, events), 'utf8')).forEach((line, place) => {
      const { session_id: session, event_id: id, tool_use_id: useId } = event.parse(line);
      named.set(`${session} ${useId === undefined ? `demo-${session}-${place}` : `tool:${useId}`}`, id);
    });
  }
  return named;
}

const TIMEOUT_MS = 2 * 3_600_000;
/** Results that count for the reciprocal rank. */
const DEPTH = 50;
/** Chunks that search requests from each retriever for this number of results. */
const RETRIEVER_HITS = 75;
const TARGETS = { anyEvent10: 51, mrr: 0.6, anySession1: 53 } as const;

const row = z.object({ id: z.string(), external_id: z.string(), key: z.string().nullable() });
const derivedRow = z.object({ id: z.string(), sources: z.array(z.string()) });

/** Returns the events of each memory by id: a row's own event, or those of a derived memory's sources. */
export async function eventsOfMemories({ database }: BenchInstance): Promise<ReadonlyMap<string, readonly string[]>> {
  const events = eventsByKey();
  const { rows } = await database.query(`
    SELECT r.id, s.external_id, r.key FROM (
      SELECT o.id, o.session_id, o.key FROM observations o
      UNION ALL
      SELECT p.id, p.session_id, (SELECT k.key FROM capture_keys k WHERE k.session_id = p.session_id AND k.seq = p.seq) FROM prompts p
    ) AS r JOIN sessions s ON s.id = r.session_id`);
  const captured = new Map(
    z
      .array(row)
      .parse(rows)
      .flatMap(({ id, external_id: session, key }) => {
        const event = events.get(`${session} ${key ?? ''}`);
        return event === undefined ? [] : [[id, [event]] as const];
      }),
  );
  const derived = await database.query(`
    SELECT u.id, ARRAY(SELECT DISTINCT piece ->> 'rowId' FROM jsonb_array_elements(u.evidence) AS piece) AS sources FROM summaries u
    UNION ALL
    SELECT l.id, ARRAY(SELECT DISTINCT e.row_id::text FROM learning_evidence e WHERE e.learning_id = l.id) FROM learnings l`);
  return new Map<string, readonly string[]>([
    ...captured,
    ...z
      .array(derivedRow)
      .parse(derived.rows)
      .map(({ id, sources }) => [id, sources.flatMap((source) => captured.get(source) ?? [])] as const),
  ]);
}

/** Scores one ranked list of memories, each with its events, for one query. */
export function scoreAnswer(
  query: CodingQuestion,
  ranked: readonly { readonly events: readonly string[]; readonly session: string | null }[],
): {
  readonly anyEvent1: number;
  readonly anyEvent5: number;
  readonly anyEvent10: number;
  readonly mrr: number;
  readonly anySession1: number;
} {
  const gold = new Set(query.gold_events);
  const { any1, any5, any10, mrr } = scoreHits(ranked.map(({ events }) => events.some((event) => gold.has(event))));
  const session = ranked.find((each) => each.session !== null)?.session ?? '';
  return {
    anyEvent1: any1,
    anyEvent5: any5,
    anyEvent10: any10,
    mrr,
    anySession1: query.gold_sessions.includes(session) ? 1 : 0,
  };
}

type Answered = ReturnType<typeof scoreAnswer>;

/** Returns the sums over queries, and the mean reciprocal rank. */
function summed(scores: readonly Answered[]): Answered {
  const sum = (name: keyof Answered): number => scores.reduce((total, score) => total + score[name], 0);
  return {
    anyEvent1: sum('anyEvent1'),
    anyEvent5: sum('anyEvent5'),
    anyEvent10: sum('anyEvent10'),
    mrr: Math.round((1_000 * sum('mrr')) / scores.length) / 1_000,
    anySession1: sum('anySession1'),
  };
}

/** Returns the search results of each query; `unavailable` is the expected degradation. */
async function queryAll(
  instance: BenchInstance,
  questions: readonly CodingQuestion[],
  events: ReadonlyMap<string, readonly string[]>,
  unavailable: readonly string[] = [],
): Promise<readonly { readonly type: string; readonly score: Answered }[]> {
  const answered: { readonly type: string; readonly score: Answered }[] = [];
  for (const query of questions) {
    const found = await searchByApi(instance, { q: query.question, limit: String(DEPTH) }, unavailable);
    const ranked = found.map(({ id, sources, session }) => ({
      events: [id, ...sources].flatMap((rowId) => events.get(rowId) ?? []),
      session: session?.external_id ?? null,
    }));
    answered.push({ type: query.type, score: scoreAnswer(query, ranked) });
  }
  return answered;
}

/** Reads the hits of every query once, so that they can be ranked in several ways. */
async function judgeAll(
  instance: BenchInstance,
  questions: readonly CodingQuestion[],
): Promise<readonly JudgedQuery<Answered>[]> {
  const events = await eventsOfMemories(instance);
  const names = await sessionNames(instance);
  const reader = await createRetrieverReader(instance);
  const judged: JudgedQuery<Answered>[] = [];
  for (const query of questions) {
    const retrievers = await reader.resultsOf(query.question, {}, RETRIEVER_HITS);
    const score = (variant: Variant, weight?: number): Answered => {
      const ranked = rankedBy(variant, query.question, retrievers, weight).slice(0, DEPTH);
      const placed = ranked.map(({ memoryId, sessionId }) => ({
        events: events.get(memoryId) ?? [],
        session: names.get(sessionId ?? '') ?? null,
      }));
      return scoreAnswer(query, placed);
    };
    judged.push({ goldSessions: query.gold_sessions, score });
  }
  await reader.close();
  return judged;
}

/**
 * Replays the sessions, each after the one before is summarised and indexed. They were hours apart: summaries leave out what the learnings of
 * earlier sessions contain, and if sessions overlapped, the summaries would depend on the speed of the machine.
 */
export async function fillCoding(instance: BenchInstance): Promise<void> {
  for (const hooks of sharedHooks()) {
    const ids = await replaySessions(instance, [hooks]);
    await awaitUnderstood(instance, ids, { vectors: true, timeoutMs: TIMEOUT_MS });
    await awaitIndexed(instance, TIMEOUT_MS);
  }
}

/** Returns the hits of every query on an instance with the sessions; null without the data. */
export async function judgeCoding(): Promise<readonly JudgedQuery<Answered>[] | null> {
  const questions = readCodingQuestions();
  if (questions === null) return null;
  return withInstance(dataDirectory('coding'), {}, async (instance) => {
    await fillCoding(instance);
    return judgeAll(instance, questions);
  });
}

/** Measures every query on an instance with the sessions. */
export async function measureCoding(
  instance: BenchInstance,
  questions: readonly CodingQuestion[],
): Promise<RecallFigures> {
  const events = await eventsOfMemories(instance);
  const scores = await queryAll(instance, questions, events);
  const all = summed(scores.map(({ score }) => score));
  const judged = await judgeAll(instance, questions);
  const variants = VARIANT_NAMES.map((name) => [name, summed(judged.map(({ score }) => score(name)))] as const);
  return {
    questions: questions.length,
    ...all,
    byType: Object.fromEntries(
      [...Map.groupBy(scores, ({ type }) => type)].map(([type, of]) => [type, summed(of.map(({ score }) => score))]),
    ),
    variants: Object.fromEntries(variants),
    targets: TARGETS,
    missed: Object.entries(TARGETS).flatMap(([name, least]) => {
      const reached = name === 'mrr' ? all.mrr : name === 'anyEvent10' ? all.anyEvent10 : all.anySession1;
      return reached < least ? [`${name} ${reached} of ${least}`] : [];
    }),
  };
}

/**
 * Measures the queries about the shared coding sessions, replayed, summarised by the local model and indexed: scores by event and session,
 * also without the embedding model and without Weaviate.
 */
export async function runCoding(): Promise<RecallFigures> {
  const questions = readCodingQuestions();
  if (questions === null) return { skipped: 'no shared data' };
  const { complete, ...outages } = await measureOutage(
    dataDirectory('coding'),
    async (instance) => {
      await fillCoding(instance);
      return measureCoding(instance, questions);
    },
    async (instance) => {
      const scores = await queryAll(instance, questions, await eventsOfMemories(instance), ['vector']);
      return summed(scores.map(({ score }) => score));
    },
  );
  return { ...complete, ...outages };
}
