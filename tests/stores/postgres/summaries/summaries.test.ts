import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import type { SessionSummaryDraft } from '../../../../domain/ports/model.ts';
import { requestEmbeddings } from '../../../../stores/postgres/embeddings/embedding-ledger.ts';
import { writeSessionSummary } from '../../../../stores/postgres/summaries/summaries.ts';
import type { SummaryContext } from '../../../../stores/postgres/summaries/summaries.ts';
import { chunkText } from '../../../../domain/chunking.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const db = fileDatabase();
let context: SummaryContext;

beforeAll(async () => {
  const user = await db.createUser();
  await captureEvents(db.database.pool, [event(user, 'summed-up', [promptPart('A question')])]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [user.tenantId]);
  context = {
    tenantId: user.tenantId,
    userId: user.userId,
    sessionId: rows[0]?.id ?? newId(),
    projectId: null,
    model: 'a-model',
    inputTokens: 1,
    outputTokens: 1,
    costUsd: 0,
    claimsDropped: 2,
    fromSeq: 1,
    toSeq: 1,
    occurredAt: new Date(),
    filesRead: [],
    filesModified: [],
  };
});

const draft: SessionSummaryDraft = {
  title: 'A title',
  request: 'what was requested',
  investigated: '',
  learned: '',
  completed: '',
  nextSteps: '',
  notes: '',
  keyPoints: [],
  actionItems: [],
};

function write(toSeq: number) {
  return db.database.asTenant(context.tenantId, async (transaction) => {
    const written = await writeSessionSummary(transaction, { ...context, toSeq }, draft);
    await requestEmbeddings(
      transaction,
      context.tenantId,
      { name: 'm', dimension: 3 },
      written.map(({ id, title, content }) => ({
        type: 'summary',
        id,
        sessionId: context.sessionId,
        chunks: chunkText(title, content),
      })),
    );
    return written;
  });
}

async function ledger() {
  const rows = await db.rows(
    `SELECT s.version, s.published, s.claims_dropped AS dropped, array_agg(DISTINCT e.state) AS states
       FROM summaries s
       JOIN (SELECT resource_id, state FROM embeddings UNION ALL SELECT resource_id, 'to be removed' FROM embedding_removals) e ON e.resource_id = s.id GROUP BY s.id ORDER BY s.version`,
  );
  return rows;
}

test('a superseded session summary leaves the vector index; the current one does not', async () => {
  await write(1);
  expect(await ledger()).toEqual([{ version: 1, published: true, dropped: 2, states: ['pending'] }]);
  await write(5);
  expect(await ledger()).toEqual([
    { version: 1, published: false, dropped: 2, states: ['to be removed'] },
    { version: 2, published: true, dropped: 2, states: ['pending'] },
  ]);
});

test('a retry of the same one changes nothing', async () => {
  const before = await ledger();
  expect(await write(5)).toEqual([]);
  expect(await ledger()).toEqual(before);
});

test('chunks that left the index and the ledger are not removed again', async () => {
  await db.write('DELETE FROM embedding_removals');
  await write(9);
  expect(await ledger()).toMatchObject([
    { version: 2, published: false, states: ['to be removed'] },
    { version: 3, published: true, states: ['pending'] },
  ]);
});

test('one whose rows had a window summarised since is written again, as a version of its own', async () => {
  await db.write(
    `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     VALUES ($1, $2, $3, $4, 'topic:7', 'topic', 't', 'c', 'm', 1, 1, 0, 1, 9, now())`,
    [newId(), context.tenantId, context.sessionId, context.userId],
  );
  expect(await write(9)).toHaveLength(1);
  expect(await write(9)).toEqual([]);
  const rows = await db.rows(
    "SELECT version, published FROM summaries WHERE type = 'session' AND to_seq = 9 ORDER BY version",
  );
  expect(rows).toEqual([
    { version: 3, published: false },
    { version: 4, published: true },
  ]);
});
