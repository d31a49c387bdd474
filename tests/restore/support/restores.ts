import pg from 'pg';
import { expect } from 'vitest';
import { z } from 'zod';
import { localAccess, requestRestore } from '../../../infra/instance/request-restore.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { vectorsAtRest } from '../../setup/vectors-at-rest.ts';

export const restoreAnswer = z.looseObject({
  id: z.string(),
  kind: z.string(),
  backup_id: z.string().nullable(),
  state: z.string(),
  phase: z.string(),
  error: z.string().nullable(),
  message: z.string().nullable(),
  result: z.looseObject({}).nullable(),
});
export type Restore = z.output<typeof restoreAnswer>;

export async function ended(of: TestInstance, id: string): Promise<Restore> {
  return until(async () => {
    const answer = await of.call('GET', `/admin/restores/${id}`);
    // During the swap there is no database, then one without the key's cached row.
    if (answer.status !== 200) return undefined;
    const restore = restoreAnswer.parse(answer.body);
    return restore.state === 'running' ? undefined : restore;
  }, 240_000);
}

interface RestoreRequest {
  readonly backup_id?: string;
  readonly store?: string;
  readonly signer?: string;
  readonly overwrite?: boolean;
  readonly dry_run?: boolean;
}

export async function requested(of: TestInstance, route: 'restore' | 'drill', body: RestoreRequest): Promise<Restore> {
  // Only the machine itself may name another store or another signer.
  if ((body.store ?? 'copy') !== 'copy' || body.signer !== undefined) {
    const access = localAccess('/nowhere', of.environment);
    if (access === null) throw new Error('no access to the instance');
    const id = await requestRestore(access, {
      kind: route,
      backupId: body.backup_id ?? null,
      store: body.store ?? null,
      signer: body.signer ?? null,
      overwrite: body.overwrite === true,
      dryRun: body.dry_run === true,
    });
    return ended(of, id);
  }
  const answer = await of.call('POST', `/admin/${route}`, { body });
  expect(answer).toMatchObject({ status: 202 });
  return ended(of, restoreAnswer.parse(answer.body).id);
}

export async function backedUp(of: TestInstance): Promise<string> {
  const { id } = z.looseObject({ id: z.string() }).parse((await of.call('POST', '/admin/backup')).body);
  return until(async () => {
    const { body } = await of.call('GET', `/admin/backups/${id}`);
    const { state, error } = z.looseObject({ state: z.string(), error: z.string().nullable() }).parse(body);
    if (state === 'failed') throw new Error(`no backup: ${error ?? ''}`);
    return state === 'completed' ? id : undefined;
  });
}

/** Returns the sorted ids that a search finds: duplicates have the same score and no fixed order. */
export async function found(of: TestInstance): Promise<readonly string[]> {
  const { body } = await of.call('GET', '/search?q=rounding+of+invoices&limit=50');
  const answer = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) }).parse(body);
  return answer.data.map(({ id }) => id).toSorted();
}

/** Queries as the superuser from another database: connected roles block a restore. */
async function ofServer(of: TestInstance, question: string, values: unknown[] = []) {
  const client = new pg.Client({ connectionString: of.db.url('superuser').replace(/[^/]*$/, 'postgres') });
  await client.connect();
  try {
    return await client.query<{ datname: string }>(question, values);
  } finally {
    await client.end();
  }
}

/** Databases that restores of the instance left or keep. */
export async function databases(of: TestInstance, part: '_restore_' | '_replaced_'): Promise<string[]> {
  const { rows } = await ofServer(of, 'SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [
    `${of.db.name}${part}`,
  ]);
  return rows.map(({ datname }) => datname);
}

/** Connects as superuser to the running database, until the swap closes it. */
export async function insideUntilClosed(of: TestInstance): Promise<void> {
  const inside = new pg.Client({ connectionString: of.db.url('superuser') });
  await inside.connect();
  const isClosed = 'SELECT FROM pg_database WHERE datname = current_database() AND NOT datallowconn';
  await until(async () => ((await inside.query(isClosed)).rowCount === 1 ? true : undefined), 240_000);
  await inside.end();
}

/** Waits until nothing changes search results any more. */
export async function atRest(of: TestInstance): Promise<void> {
  const none = async (question: string) =>
    until(async () => ((await of.rows(question)).length === 0 ? true : undefined));
  await none('SELECT FROM sessions WHERE consumed_seq < last_seq');
  await none("SELECT FROM embeddings WHERE state <> 'indexed'");
  await none('SELECT FROM embedding_removals');
  await vectorsAtRest(of);
}

/** Polls the list of restores; returns the statuses seen. */
export function watched(of: TestInstance): { stop(): Promise<number[]> } {
  let stopped = false;
  const statuses = (async () => {
    const seen = new Set<number>();
    while (!stopped) {
      const { status, body } = await of.call('GET', '/admin/restores');
      const isEmpty = status === 200 && JSON.stringify(body) === '{"data":[]}';
      seen.add(isEmpty ? 404 : status);
    }
    return [...seen];
  })();
  return {
    stop: () => {
      stopped = true;
      return statuses;
    },
  };
}

export async function dropReplaced(of: TestInstance): Promise<void> {
  for (const name of await databases(of, '_replaced_')) await ofServer(of, `DROP DATABASE ${name} WITH (FORCE)`);
}
