import { expect } from 'vitest';
import { z } from 'zod';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { listSets } from '../../../activities/backup/read-manifest.ts';
import type { FaultInstance } from './fault-instance.ts';
import type { OperationsInstance } from './operations-instance.ts';
import { request } from './operations-jobs.ts';
import type { ApiTarget } from './operations-jobs.ts';
import { objectsOf } from './outcome.ts';

/** Row count and sum of row hashes of the filled sessions, by table. */
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

/** Returns the fingerprint of the filled sessions, without the tables of `without`. */
export async function fingerprint(instance: FaultInstance, without: readonly string[] = []): Promise<Fingerprint> {
  const names = Object.keys(FILLED).filter((name) => !without.includes(name));
  const rows = await Promise.all(
    names.map((name) =>
      instance.query<{ sum: string }>(
        `SELECT count(*) || ' ' || coalesce(sum(hashtextextended(row, 0)::numeric), 0) AS sum FROM (${FILLED[name] ?? ''}) AS r`,
      ),
    ),
  );
  return Object.fromEntries(names.map((name, n) => [name, rows[n]?.[0]?.sum ?? '']));
}

const backupPage = z.object({ data: z.array(z.looseObject({ id: z.string(), complete: z.boolean() })) });

/** Asserts that the store contains exactly the listed backups, and no incomplete one. */
export async function expectCompleteSets(instance: ApiTarget, store: ArchiveStore): Promise<void> {
  const { data } = backupPage.parse((await request(instance, 'GET', '/admin/backups?limit=100')).body);
  const listed = data.filter((backup) => backup.complete).map(({ id }) => id);
  const stored = await listSets(store);
  expect({ complete: stored.complete.map(({ id }) => id).toSorted(), incomplete: stored.incomplete }).toEqual({
    complete: listed.toSorted(),
    incomplete: [],
  });
}

/** Time to embed lost or removed vectors again. */
const INDEXED_MS = 120_000;

/** Waits until the index contains exactly the objects of the ledger; returns their number. */
export async function expectSameIndex({ instance, index, tenantId }: OperationsInstance): Promise<number> {
  const differences = async () => {
    const ledger = await instance.query<{ object_id: string; state: string }>(
      'SELECT object_id, state FROM embeddings WHERE model = $1',
      [index],
    );
    const objects = await objectsOf(
      // Only its address is used.
      instance,
      collectionName('RecollectChunk', index),
      tenantId,
    );
    const present = new Set(objects.map(({ id }) => id));
    const indexed = new Set(ledger.filter(({ state }) => state === 'indexed').map((row) => row.object_id));
    return {
      waiting: ledger.filter(({ state }) => state === 'pending' || state === 'filling').length,
      missing: [...indexed].filter((id) => !present.has(id)).length,
      orphaned: [...present].filter((id) => !indexed.has(id)).length,
      present: present.size,
    };
  };
  let seen = await differences();
  const isSame = () => seen.waiting + seen.missing + seen.orphaned === 0;
  for (const deadline = performance.now() + INDEXED_MS; !isSame() && performance.now() < deadline;)
    seen = await differences();
  expect(seen).toEqual({ waiting: 0, missing: 0, orphaned: 0, present: seen.present });
  return seen.present;
}
