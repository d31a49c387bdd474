import { expect } from 'vitest';
import { z } from 'zod';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { listSets } from '../../../activities/backup/stored-sets.ts';
import type { FaultInstance } from './fault-instance.ts';
import type { KeepInstance } from './operations-instance.ts';
import { ask } from './operations-jobs.ts';
import type { Asked } from './operations-jobs.ts';
import { objectsOf } from './outcome.ts';

/** Rows of the filled sessions, which nobody but a test touches: counts and a sum over every row's text, by table. */
export interface Fingerprint {
  readonly [table: string]: string;
}

const OF_FILLED = "session_id IN (SELECT id FROM sessions WHERE host = 'bench')";
const FILLED: Readonly<Record<string, string>> = {
  sessions: "SELECT (to_jsonb(t) - 'updated_at')::text AS row FROM sessions t WHERE host = 'bench'",
  observations: `SELECT t::text AS row FROM observations t WHERE ${OF_FILLED}`,
  capture_keys: `SELECT t::text AS row FROM capture_keys t WHERE ${OF_FILLED}`,
  embeddings: `SELECT concat_ws(' ', id, resource_id, chunk, object_id, model, state, encode(content_hash, 'hex')) AS row FROM embeddings t WHERE ${OF_FILLED}`,
};

/** What the filled part of the database says, as the superuser sees it. */
export async function fingerprint(instance: FaultInstance, without: readonly string[] = []): Promise<Fingerprint> {
  const names = Object.keys(FILLED).filter((name) => !without.includes(name));
  const rows = await Promise.all(
    names.map((name) =>
      instance.query<{ said: string }>(
        `SELECT count(*) || ' ' || coalesce(sum(hashtextextended(row, 0)::numeric), 0) AS said FROM (${FILLED[name] ?? ''}) AS r`,
      ),
    ),
  );
  return Object.fromEntries(names.map((name, n) => [name, rows[n]?.[0]?.said ?? '']));
}

const backupPage = z.object({ data: z.array(z.looseObject({ id: z.string(), complete: z.boolean() })) });

/** Asserts that the store holds the sets that are listed, and no half one. */
export async function expectWholeSets(instance: Asked, store: ArchiveStore): Promise<void> {
  const { data } = backupPage.parse((await ask(instance, 'GET', '/admin/backups?limit=100')).body);
  const listed = data.filter((backup) => backup.complete).map(({ id }) => id);
  const lying = await listSets(store);
  expect({ whole: lying.complete.map(({ id }) => id).toSorted(), halves: lying.incomplete }).toEqual({
    whole: listed.toSorted(),
    halves: [],
  });
}

/** For what was lost or taken away to be embedded again. */
const INDEXED_MS = 120_000;

/** Asserts that the index comes to hold what the ledger says it holds, object by object, with nothing left to do. */
export async function expectSameIndex({ instance, index, tenantId }: KeepInstance): Promise<number> {
  const differences = async () => {
    const ledger = await instance.query<{ object_id: string; state: string }>(
      'SELECT object_id, state FROM embeddings WHERE model = $1',
      [index],
    );
    const objects = await objectsOf(
      // Only asked for its address.
      instance,
      collectionName('RecollectChunk', index),
      tenantId,
    );
    const standing = new Set(objects.map(({ id }) => id));
    const wanted = new Set(ledger.filter(({ state }) => state === 'indexed').map((row) => row.object_id));
    return {
      waiting: ledger.filter(({ state }) => state !== 'indexed' && state !== 'failed').length,
      missing: [...wanted].filter((id) => !standing.has(id)).length,
      orphaned: [...standing].filter((id) => !wanted.has(id)).length,
      standing: standing.size,
    };
  };
  let seen = await differences();
  const isSame = () => seen.waiting + seen.missing + seen.orphaned === 0;
  for (const deadline = performance.now() + INDEXED_MS; !isSame() && performance.now() < deadline;)
    seen = await differences();
  expect(seen).toEqual({ waiting: 0, missing: 0, orphaned: 0, standing: seen.standing });
  return seen.standing;
}
