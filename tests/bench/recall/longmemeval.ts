import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitIndexed, searchByApi, sendEvents, sessionNames } from './api.ts';
import { measureOutage, withInstance } from './outage.ts';
import type { RecallFigures } from '../figures.ts';
import { createRetrieverReader, rankedBy, VARIANT_NAMES } from './retrievers.ts';
import type { JudgedQuery, Variant } from './retrievers.ts';
import { dataDirectory, rolesOfTurns } from '../command-line.ts';
import { meanScores, scoreList } from './scores.ts';
import type { ListScore } from './scores.ts';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const DIRECTORY = new URL('../../../../shared/data/longmemeval/', import.meta.url);

const question = z.looseObject({
  question_id: z.string(),
  question_type: z.string(),
  question: z.string(),
  answer_session_ids: z.array(z.string()),
  haystack_session_ids: z.array(z.string()),
  haystack_dates: z.array(z.string()),
});
const session = z.looseObject({
  session_id: z.string(),
  turns: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content: z.string() })),
});

type LongQuestion = z.output<typeof question>;
type LongSession = z.output<typeof session>;

interface LongData {
  readonly questions: readonly LongQuestion[];
  readonly sessions: ReadonlyMap<string, LongSession>;
}

function linesOf(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

/** Returns queries and sessions of the development split; null without the data beside the repository. */
export function readLongMemEval(): LongData | null {
  if (!existsSync(DIRECTORY)) return null;
  const questions = z.array(question).parse(linesOf(readFileSync(new URL('questions-dev.jsonl', DIRECTORY), 'utf8')));
  const packed = readFileSync(new URL('sessions-dev.jsonl.gz', DIRECTORY));
  const sessions = z.array(session).parse(linesOf(gunzipSync(packed).toString('utf8')));
  return { questions, sessions: new Map(sessions.map((each) => [each.session_id, each])) };
}

/** Parses `2023/05/20 (Sat) 08:24` as UTC milliseconds. */
function timeOf(date: string): number {
  const [day = '', , time = ''] = date.split(' ');
  return Date.parse(`${day.replaceAll('/', '-')}T${time}:00Z`);
}

/**
 * Returns the sessions of one query as events in a namespace of its own: each turn a prompt with its role, no model calls. A session that
 * several queries share gets an id for each. No session ends: its summary would not be part of the measurement.
 */
function eventsOf(
  query: LongQuestion,
  sessions: ReadonlyMap<string, LongSession>,
  roles: readonly ('user' | 'assistant')[],
): readonly Readonly<Record<string, unknown>>[] {
  return query.haystack_session_ids.flatMap((id, place) => {
    const common = {
      host: 'longmemeval',
      session_id: `${query.question_id}:${id}`,
      namespace: namespaceOf(query),
      infer: false,
    };
    const start = timeOf(query.haystack_dates[place] ?? '');
    return (sessions.get(id)?.turns ?? []).flatMap(({ role, content }, turn) =>
      roles.includes(role) && content.trim() !== ''
        ? [
            {
              ...common,
              type: 'prompt',
              role,
              content,
              key: `${query.question_id}:${id}:${turn}`,
              occurred_at: new Date(start + 1_000 * turn).toISOString(),
            },
          ]
        : [],
    );
  });
}

/** Returns the namespace of a query, without characters that a namespace may not contain. */
export function namespaceOf({ question_id: id }: LongQuestion): string {
  return `q-${id.toLowerCase().replaceAll(/[^a-z0-9-]/gu, '-')}`;
}

const TIMEOUT_MS = 3 * 3_600_000;
const LEAST_NDCG = 0.965;
/** Chunks that search requests from each retriever for ten results. */
const RETRIEVER_HITS = 60;
const SHARES = ['any1', 'any5', 'any10', 'all10'] as const;

/** Returns distinct session ids in the order of the results. */
function sessionsIn(found: readonly { readonly session: { readonly external_id: string } | null }[]): string[] {
  return [...new Set(found.flatMap(({ session }) => (session === null ? [] : [session.external_id])))];
}

export function goldOf({ question_id: id, answer_session_ids: gold }: LongQuestion): ReadonlySet<string> {
  return new Set(gold.map((session) => `${id}:${session}`));
}

/** Reads the hits of every query once, so that they can be ranked in several ways. */
async function judgeAll(
  instance: BenchInstance,
  questions: readonly LongQuestion[],
): Promise<readonly JudgedQuery<ListScore>[]> {
  const names = await sessionNames(instance);
  const reader = await createRetrieverReader(instance);
  const judged: JudgedQuery<ListScore>[] = [];
  for (const query of questions) {
    const retrievers = await reader.resultsOf(query.question, { namespace: namespaceOf(query) }, RETRIEVER_HITS);
    const gold = goldOf(query);
    const score = (variant: Variant, weight?: number): ListScore => {
      const ranked = rankedBy(variant, query.question, retrievers, weight);
      return scoreList([...new Set(ranked.flatMap(({ sessionId }) => names.get(sessionId ?? '') ?? []))], gold);
    };
    judged.push({ goldSessions: [...gold], score });
  }
  await reader.close();
  return judged;
}

/** Returns the hits of every query on an instance with the sessions; null without the data. */
export async function judgeLongMemEval(): Promise<readonly JudgedQuery<ListScore>[] | null> {
  const data = readLongMemEval();
  if (data === null) return null;
  return withInstance(dataDirectory('longmemeval'), {}, async (instance) => {
    await fillLongMemEval(instance, data);
    return judgeAll(instance, data.questions);
  });
}

/** Sends the sessions of every query, until they are indexed. */
export async function fillLongMemEval(instance: BenchInstance, { questions, sessions }: LongData): Promise<void> {
  for (const query of questions) await sendEvents(instance, eventsOf(query, sessions, rolesOfTurns()));
  await awaitIndexed(instance, TIMEOUT_MS);
}

/** Returns missed targets: NDCG, or a share more than one query below plain fusion. */
function missedTargets(reached: ListScore, plain: ListScore, questions: number): readonly string[] {
  const below = SHARES.filter((share) => reached[share] < plain[share] - 1.001 / questions);
  return [
    ...(reached.ndcg10 < LEAST_NDCG ? [`ndcg10 ${reached.ndcg10} of ${LEAST_NDCG}`] : []),
    ...below.map((share) => `${share} ${reached[share]}, plain fusion ${plain[share]}`),
  ];
}

/**
 * Returns the search results of each query; `unavailable` is the expected degradation. The nearest are requested also if nothing fits, because
 * the ranking is measured: six queries have no answer in the user's turns. Refusals are measured by `--only calibration`.
 */
async function queryAll(
  instance: BenchInstance,
  questions: readonly LongQuestion[],
  unavailable: readonly string[] = [],
): Promise<readonly { readonly type: string; readonly score: ListScore }[]> {
  const answered: { readonly type: string; readonly score: ListScore }[] = [];
  for (const query of questions) {
    const parameters = {
      q: query.question,
      namespace: namespaceOf(query),
      group_by: 'session',
      limit: '10',
      nearest: 'true',
    };
    const found = await searchByApi(instance, parameters, unavailable);
    answered.push({ type: query.question_type, score: scoreList(sessionsIn(found), goldOf(query)) });
  }
  return answered;
}

/** Measures every query on an instance with the sessions. */
export async function measureLongMemEval(
  instance: BenchInstance,
  questions: readonly LongQuestion[],
): Promise<RecallFigures> {
  const answered = await queryAll(instance, questions);
  const judged = await judgeAll(instance, questions);
  const search = meanScores(answered.map(({ score }) => score));
  const meanOf = (variant: Variant) => meanScores(judged.map(({ score }) => score(variant)));
  return {
    questions: answered.length,
    search,
    ndcg10ByType: Object.fromEntries(
      [...Map.groupBy(answered, ({ type }) => type)].map(([type, of]) => [
        type,
        meanScores(of.map(({ score: { ndcg10 } }) => ({ ndcg10 }))).ndcg10,
      ]),
    ),
    variants: Object.fromEntries(VARIANT_NAMES.map((variant) => [variant, meanOf(variant)])),
    missed: missedTargets(search, meanOf('plainFusion'), answered.length),
  };
}

/** Measures LongMemEval-S, development split, by session: any@k, all@k and NDCG@10 of search and of other rankings of the same hits. */
export async function runLongMemEval(): Promise<RecallFigures> {
  const data = readLongMemEval();
  if (data === null) return { skipped: 'no shared data' };
  const { questions } = data;
  const { complete, ...outages } = await measureOutage(
    dataDirectory('longmemeval'),
    async (instance) => {
      await fillLongMemEval(instance, data);
      return measureLongMemEval(instance, questions);
    },
    async (instance) => meanScores((await queryAll(instance, questions, ['vector'])).map(({ score }) => score)),
  );
  return { turns: rolesOfTurns().join(' and '), ...complete, ...outages };
}
