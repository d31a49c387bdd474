import type { TestInstance } from '../../setup/instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { vectorsAtRest } from '../../setup/vectors-at-rest.ts';

const CONSUMED = '(SELECT bool_and(consumed_seq = last_seq) FROM sessions)';

/** Awaits that the worker has consumed every event. */
export function consumed({ value }: Pick<TestInstance, 'value'>): Promise<void> {
  return untilTrue(
    async () => (await value(`SELECT ${CONSUMED} AS value`)) === true,
    undefined,
    'everything being consumed',
  );
}

/** Awaits that every memory is in the vector index, and is found there. */
export async function indexed(instance: TestInstance): Promise<void> {
  const sql = `SELECT ${CONSUMED} AND NOT EXISTS (SELECT FROM embeddings WHERE state <> 'indexed') AND NOT EXISTS (SELECT FROM embedding_removals) AS value`;
  const found = async () => {
    const sessions = await instance.rows(
      'SELECT id, status, phase, last_seq, consumed_seq FROM sessions WHERE consumed_seq <> last_seq',
    );
    const chunks = await instance.rows(
      'SELECT state, count(*)::integer, min(attempts) AS attempts, min(error) AS error FROM embeddings GROUP BY 1',
    );
    return `everything being indexed: ${JSON.stringify({ sessions, chunks })}`;
  };
  await untilTrue(async () => (await instance.value(sql)) === true, undefined, found);
  await vectorsAtRest(instance);
}
