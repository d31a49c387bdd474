import { startBenchInstance } from '../capture/bench-instance.ts';
import { awaitIndexed, searchByApi, sendEvents } from './api.ts';
import type { RecallFigures } from './figures.ts';
import { eventsOf, namespaceOf, readLongMemEval } from './longmemeval-data.ts';
import type { LongQuestion } from './longmemeval-data.ts';
import { keptDirectory, rolesOfTurns } from './options.ts';
import { meanScores, scoreList } from './scores.ts';

const TIMEOUT_MS = 3 * 3_600_000;

/** Ids of the sessions in the order of what was found, each once. */
function sessionsIn(found: readonly { readonly session: { readonly external_id: string } | null }[]): string[] {
  return [...new Set(found.flatMap(({ session }) => (session === null ? [] : [session.external_id])))];
}

function goldOf({ question_id: id, answer_session_ids: gold }: LongQuestion): ReadonlySet<string> {
  return new Set(gold.map((session) => `${id}:${session}`));
}

/** LongMemEval-S, development split, session level: any@k, all@k, NDCG@10 of the best ten sessions that search answers. */
export async function runLongMemEval(): Promise<RecallFigures> {
  const data = readLongMemEval();
  if (data === null) return { skipped: 'no shared data' };
  const instance = await startBenchInstance({}, keptDirectory('longmemeval'));
  try {
    for (const asked of data.questions) await sendEvents(instance, eventsOf(asked, data.sessions, rolesOfTurns()));
    await awaitIndexed(instance, TIMEOUT_MS);
    const scores = [];
    for (const asked of data.questions) {
      const common = { q: asked.question, namespace: namespaceOf(asked) };
      const grouped = await searchByApi(instance, { ...common, group_by: 'session', limit: '10' });
      scores.push(scoreList(sessionsIn(grouped), goldOf(asked)));
    }
    return { questions: scores.length, grouped: meanScores(scores) };
  } finally {
    await instance.stop();
  }
}
