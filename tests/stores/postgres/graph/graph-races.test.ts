import { beforeEach, describe, expect, test } from 'vitest';
import { createGraphBuilder } from '../../../../domain/graph/graph.ts';
import type { Mention, SessionGraph } from '../../../../domain/graph/graph.ts';
import { newId } from '../../../../domain/ids.ts';
import { pruneUnnamed } from '../../../../stores/postgres/learnings/consolidation.ts';
import { readNeighbourhood } from '../../../../stores/postgres/graph/graph.ts';
import { forgetGraph, writeGraph } from '../../../../stores/postgres/graph/graph-writes.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

const db = fileDatabase();
let user: TestUser;
let projectId: string;

beforeEach(async () => {
  user = await db.createUser();
  projectId = await db.createProject(user);
});

/** A file of the project, mentioned once. */
function oneFile(): SessionGraph {
  const builder = createGraphBuilder();
  const reference: Mention = {
    sourceType: 'observation',
    sourceId: newId(),
    quote: 'a verbatim quote',
    occurredAtMs: 1_000,
  };
  builder.relate(
    'part_of',
    builder.mention('file', 'a.ts', reference),
    builder.mention('project', 'shop', reference),
    reference,
  );
  return builder.build();
}

const contextOf = (sessionId: string) => ({ tenantId: user.tenantId, sessionId, projectId, namespace: 'default' });
const write = (sessionId: string) =>
  db.database.asTenant(user.tenantId, (transaction) => writeGraph(transaction, contextOf(sessionId), oneFile()));
const read = () =>
  db.database.asTenant(user.tenantId, (transaction) =>
    readNeighbourhood(transaction, { projectId, depth: 1, limit: 50, viewerId: undefined }),
  );

describe('while a session adds to the graph', () => {
  /** Resolves when a connection to this database waits for a lock. */
  const waiting = () =>
    until(async () => {
      const rows = await db.rows(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows.length > 0 ? true : undefined;
    });

  test.each(['forgetting', 'pruning'])('%s waits for it, and leaves what it named', async (how) => {
    const [first, second] = [newId(), newId()];
    await write(first);
    if (how === 'pruning') {
      await db.write('DELETE FROM relation_evidence WHERE session_id = $1', [first]);
      await db.write('DELETE FROM entity_mentions WHERE session_id = $1', [first]);
    }
    const written = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const adding = db.database.asTenant(user.tenantId, async (transaction) => {
      await writeGraph(transaction, contextOf(second), oneFile());
      written.resolve();
      await over.promise;
    });
    await written.promise;
    const taking = db.database.asTenant(user.tenantId, async (transaction) => {
      if (how === 'pruning') await pruneUnnamed(transaction, 100);
      else await forgetGraph(transaction, first, null);
    });
    await waiting();
    over.resolve();
    await Promise.all([adding, taking]);
    const left = await read();
    const named = left.entities.map((entity) => `${entity.label} ${entity.weight} ${entity.mentions.length}`);
    expect(named.toSorted()).toEqual(['a.ts 1 1', 'shop 1 1']);
    expect(left.relations).toMatchObject([{ weight: 1, evidence: [{ sessionId: second }] }]);
  });

  test.each(['entities', 'relations'])('what is deleted of its %s meanwhile is written again', async (table) => {
    const [first, second] = [newId(), newId()];
    await write(first);
    const other = await db.maintenance.connect();
    try {
      await other.query('BEGIN');
      await other.query(`SELECT FROM ${table} WHERE tenant_id = $1 FOR UPDATE`, [user.tenantId]);
      const adding = write(second);
      await waiting();
      await other.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [user.tenantId]);
      await other.query('COMMIT');
      await adding;
    } finally {
      other.release();
    }
    expect((await read()).relations).toMatchObject([{ evidence: [{ sessionId: second }] }]);
  });
});
