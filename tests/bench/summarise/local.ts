import { Client, Connection } from '@temporalio/client';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TokenCounter } from '../../../domain/ports/embedder.ts';
import { createDatabase } from '../../../stores/postgres/connection/database.ts';
import type { ConsolidationResult } from '../../../workflows/operations/types.ts';
import { workflowIdOf, QUEUES } from '../../../workflows/registry.ts';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import type { BenchQuestion } from './coding-sessions.ts';
import { measureNearDuplicates } from './near-duplicates.ts';
import type { NearDuplicates } from './near-duplicates.ts';
import { awaitUnderstood, replaySessions, sharedHooks } from './replay.ts';
import { scoreStored } from './stored.ts';
import type { StoredFigures } from './stored.ts';

const TIMEOUT_MS = 1_200_000;

export interface LocalFigures {
  readonly once: StoredFigures;
  /** From the last event to the last session's learnings. */
  readonly understoodAfterS: number;
  /** After a second replay under other ids, and consolidation. */
  readonly consolidation: ConsolidationResult;
  readonly twice: Omit<NearDuplicates, 'found'>;
}

type Embed = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

/** Runs the shared sessions through the local model, as in an instance without a key; then again, to measure duplicates. */
export async function runLocal(
  tokens: TokenCounter,
  questions: readonly BenchQuestion[],
  embed: Embed,
): Promise<LocalFigures> {
  const instance = await startBenchInstance();
  try {
    const ids = await replaySessions(instance, sharedHooks());
    const captured = performance.now();
    await awaitUnderstood(instance, ids, { vectors: true, timeoutMs: TIMEOUT_MS });
    const understoodAfterS = Math.round((performance.now() - captured) / 100) / 10;
    const once = await scoreStored(instance.database, tokens, questions);
    const again = await replaySessions(instance, sharedHooks('again'));
    await awaitUnderstood(instance, again, { vectors: true, timeoutMs: TIMEOUT_MS });
    const consolidation = await consolidate(instance);
    const { found: _pairs, ...twice } = await nearDuplicates(instance, embed);
    return { once, understoodAfterS, consolidation, twice };
  } finally {
    await instance.stop();
  }
}

/** Runs the daily consolidation once. */
async function consolidate({ temporalAddress }: BenchInstance): Promise<ConsolidationResult> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const client = new Client({ connection, namespace: 'recollect' });
    return await client.workflow.execute<() => Promise<ConsolidationResult>>('consolidation', {
      workflowId: `${workflowIdOf('operation', 'consolidation')}/bench`,
      taskQueue: QUEUES.session,
      args: [],
    });
  } finally {
    await connection.close();
  }
}

async function nearDuplicates(instance: BenchInstance, embed: Embed): Promise<NearDuplicates> {
  const { rows } = await instance.database.query<{ tenant_id: string }>('SELECT tenant_id FROM sessions LIMIT 1');
  const database = createDatabase({
    privateRows: 'all',
    url: instance.appDatabaseUrl,
    max: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 60_000,
    applicationName: 'bench',
    onIdleError: () => undefined,
  });
  try {
    return await measureNearDuplicates(database, asId<TenantId>(rows[0]?.tenant_id ?? ''), embed);
  } finally {
    await database.close();
  }
}
