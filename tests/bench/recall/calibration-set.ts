import { z } from 'zod';
import { understand } from '../../../domain/query/understand.ts';
import { coverOf, evidenceOf, EVIDENCE_RESULTS } from '../../../domain/ranking/chance.ts';
import type { Evidence } from '../../../domain/ranking/chance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitIndexed } from './api.ts';
import { eventsOfMemories, fillCoding, readCodingQuestions } from './coding.ts';
import { fillLongMemEval, goldOf, namespaceOf, readLongMemEval } from './longmemeval.ts';
import { CHINESE_NOTES, UNRELATED_CHINESE, UNRELATED_CODING, UNRELATED_EVERYDAY } from './unrelated.ts';

const found = z.looseObject({
  id: z.string(),
  title: z.string(),
  content: z.string(),
  sources: z.array(z.string()),
  session: z.looseObject({ external_id: z.string() }).nullable(),
  explain: z.looseObject({
    keyword: z.looseObject({ rank: z.number() }).nullable(),
    vector: z.looseObject({ rank: z.number(), score: z.number() }).nullable(),
  }),
});
const answer = z.looseObject({ data: z.array(found), nothing_fits: z.boolean() });
type Found = z.output<typeof found>;

/** A query as search answers it. */
export interface CalibrationQuery {
  /** Set and kind, e.g. `coding everyday`. */
  readonly group: string;
  readonly isRelated: boolean;
  /** Sessions with an answer, or what else must be in one fold. */
  readonly goldSessions: readonly string[];
  readonly evidence: Evidence;
  /** Whether each of the first ten results is relevant, best first. */
  readonly relevant: readonly boolean[];
  /** Whether the server answered that nothing fits, or found nothing. */
  readonly isRefused: boolean;
}

interface Given {
  readonly group: string;
  readonly query: string;
  readonly namespace: string;
  /** Undefined: unrelated. */
  readonly isRelevant?: (memory: Found) => boolean;
  readonly goldSessions?: readonly string[];
}

const FIRST_RESULTS = 10;

async function ask({ url, key }: BenchInstance, given: Given): Promise<CalibrationQuery> {
  const { group, query, namespace, isRelevant, goldSessions = [`${namespace} ${query}`] } = given;
  const parameters = new URLSearchParams({ q: query, namespace, limit: '50', explain: 'true', nearest: 'true' });
  const response = await fetch(`${url}/api/v1/search?${parameters.toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const { data, nothing_fits: isRefused } = answer.parse(await response.json());
  const { terms, language } = understand(query, new Date());
  const texts = data.slice(0, EVIDENCE_RESULTS).map(({ title, content }) => `${title}\n${content}`);
  const ranks = data.map(({ explain }) => explain);
  return {
    group,
    isRelated: isRelevant !== undefined,
    goldSessions,
    evidence: evidenceOf(ranks, coverOf(terms, texts), language),
    relevant: data.slice(0, FIRST_RESULTS).map((memory) => isRelevant?.(memory) ?? false),
    isRefused: isRefused || data.length === 0,
  };
}

async function askEach(instance: BenchInstance, given: readonly Given[]): Promise<readonly CalibrationQuery[]> {
  const answered: CalibrationQuery[] = [];
  for (const each of given) answered.push(await ask(instance, each));
  return answered;
}

/** Stores the Chinese notes in a namespace of their own. */
async function remember(instance: BenchInstance): Promise<void> {
  const response = await fetch(`${instance.url}/api/v1/memories/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ memories: CHINESE_NOTES.map(({ note }) => ({ content: note, namespace: 'chinese' })) }),
  });
  if (!response.ok) throw new Error(`notes returned ${response.status}: ${await response.text()}`);
}

const FILL_TIMEOUT_MS = 3_600_000;
const of = (group: string, namespace: string, queries: readonly string[]): readonly Given[] =>
  queries.map((query) => ({ group, namespace, query }));

/** Fills an instance with the coding sessions and the Chinese notes. */
export async function fillCodingAndNotes(instance: BenchInstance): Promise<void> {
  await fillCoding(instance);
  await remember(instance);
  await awaitIndexed(instance, FILL_TIMEOUT_MS);
}

/** Sends the queries of the coding sessions and the Chinese notes, and unrelated ones. */
export async function askCoding(instance: BenchInstance): Promise<readonly CalibrationQuery[]> {
  const events = await eventsOfMemories(instance);
  const related = (readCodingQuestions() ?? []).map((each): Given => {
    const gold = new Set(each.gold_events);
    return {
      group: 'coding',
      query: each.question,
      namespace: 'default',
      goldSessions: each.gold_sessions,
      isRelevant: ({ id, sources }) =>
        [id, ...sources].some((row) => (events.get(row) ?? []).some((event) => gold.has(event))),
    };
  });
  const chats = (readLongMemEval()?.questions ?? []).map(({ question }) => question);
  return askEach(instance, [
    ...related,
    ...of('coding, other software', 'default', UNRELATED_CODING),
    ...of('coding, everyday', 'default', UNRELATED_EVERYDAY),
    ...of('coding, in Chinese', 'default', UNRELATED_CHINESE),
    ...of('coding, chats of LongMemEval', 'default', chats),
    ...CHINESE_NOTES.map(({ note, query }): Given => ({
      group: 'Chinese',
      query,
      namespace: 'chinese',
      isRelevant: ({ content }) => content === note,
    })),
    ...of('Chinese, unrelated', 'chinese', UNRELATED_CHINESE),
    ...of('Chinese, in English', 'chinese', UNRELATED_CODING.slice(0, CHINESE_NOTES.length)),
  ]);
}

/**
 * Sends the queries of LongMemEval with an answer in the user's turns, in their haystacks, and unrelated ones there. Queries of other users
 * are not among them: a haystack may mention their subject.
 */
export async function askLongMemEval(instance: BenchInstance): Promise<readonly CalibrationQuery[]> {
  const coding = readCodingQuestions() ?? [];
  const data = readLongMemEval();
  if (data === null) return [];
  await fillLongMemEval(instance, data);
  const given = data.questions.flatMap((each, place): readonly Given[] => {
    const namespace = namespaceOf(each);
    const gold = goldOf(each);
    const hasAnswer = !each.question_id.endsWith('_abs') && each.question_type !== 'single-session-assistant';
    const unrelated = [
      ...of('LongMemEval, other software', namespace, UNRELATED_CODING.slice(place, place + 1)),
      ...of('LongMemEval, coding sessions', namespace, [coding[place]?.question ?? '']),
      ...of('LongMemEval, in Chinese', namespace, [UNRELATED_CHINESE[place % UNRELATED_CHINESE.length] ?? '']),
    ].map((one) => ({ ...one, goldSessions: each.answer_session_ids }));
    if (!hasAnswer) return unrelated;
    const isRelevant = ({ session }: Found) => session !== null && gold.has(session.external_id);
    const related = { group: 'LongMemEval', query: each.question, namespace, isRelevant };
    return [{ ...related, goldSessions: each.answer_session_ids }, ...unrelated];
  });
  return askEach(instance, given);
}
