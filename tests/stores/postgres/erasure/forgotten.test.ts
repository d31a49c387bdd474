import { expect, test } from 'vitest';
import { failureType } from '../../../../activities/failures.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { readCapturedEvent } from '../../../../stores/postgres/capture/captured-events.ts';
import { deleteRemoved } from '../../../../stores/postgres/embeddings/embedding-cache.ts';
import {
  supersededEmbeddings,
  removableEmbeddings,
  requestRemoval,
} from '../../../../stores/postgres/embeddings/embedding-removal.ts';
import {
  pendingEmbeddings,
  settleEmbeddings,
  requestEmbeddings,
} from '../../../../stores/postgres/embeddings/embedding-ledger.ts';
import { forgetEvent } from '../../../../stores/postgres/erasure/forget.ts';
import { ForgottenMeanwhile, refuseForgotten } from '../../../../stores/postgres/erasure/forgotten.ts';
import { tenantsWithPendingVectors } from '../../../../stores/postgres/connection/maintenance.ts';
import { createPool } from '../../../../stores/postgres/connection/pool.ts';
import { readSessionFacts, writeTitle } from '../../../../stores/postgres/sessions/session-state.ts';
import { newId } from '../../../../domain/ids.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const MODEL = { name: 'm', dimension: 3 };
const db = fileDatabase();
const user = fileUser(db);

/** Captures one prompt under a key; returns its session id. */
async function prompted(session: string, key: string): Promise<string> {
  const [outcome] = await captureEvents(db.database.pool, [
    event(user, session, [promptPart(`words of ${key}`)], { key }),
  ]);
  return outcome?.sessionId ?? '';
}

async function forget(sessionId: string, key: string): Promise<void> {
  await db.database.asTenant(user.tenantId, async (transaction) => {
    const found = await readCapturedEvent(transaction, sessionId, key);
    if (found === null || (await forgetEvent(transaction, found)) === null) throw new Error('nothing to forget');
  });
}

test('a model step that read before a forget and writes after it fails with a retryable conflict', async () => {
  const sessionId = await prompted('race', 'race-1');
  const facts = await db.database.asTenant(user.tenantId, (transaction) => readSessionFacts(transaction, sessionId));
  await db.database.asTenant(user.tenantId, (transaction) => refuseForgotten(transaction, sessionId, facts.forgotten));
  await forget(sessionId, 'race-1');
  const late = db.database.asTenant(user.tenantId, async (transaction) => {
    await refuseForgotten(transaction, sessionId, facts.forgotten);
    await writeTitle(transaction, sessionId, 'words of race-1');
  });
  const error: unknown = await late.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ForgottenMeanwhile);
  expect(failureType(error)).toBe('DatabaseConflict');
  expect(await db.value('SELECT title AS value FROM sessions WHERE id = $1', [sessionId])).toBeNull();
});

test('forgetting waits for a model step that is writing, and deletes what it wrote', async () => {
  const sessionId = await prompted('writing', 'writing-1');
  const order: string[] = [];
  let forgetting: Promise<void> = Promise.resolve();
  await db.database.asTenant(user.tenantId, async (transaction) => {
    await refuseForgotten(transaction, sessionId, 0);
    forgetting = forget(sessionId, 'writing-1').then(() => void order.push('forgotten'));
    // It waits for this transaction in the database, now or later.
    await transaction.$executeRaw`
      INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
      VALUES (${newId()}::uuid, ${user.tenantId}::uuid, ${sessionId}::uuid, ${user.userId}::uuid, 'session:1', 'session', 't', 'words of writing-1', 'm', 1, 1, 0, 1, 1, now())`;
    order.push('written');
  });
  await forgetting;
  expect(order).toEqual(['written', 'forgotten']);
  expect(await db.count('summaries WHERE session_id = $1', [sessionId])).toBe(0);
});

test('summaries and forgetting leave a title given by a user unchanged', async () => {
  const sessionId = await prompted('titled', 'titled-1');
  await db.write(`UPDATE sessions SET title = 'mine', metadata = '{"title_given": true}' WHERE id = $1`, [sessionId]);
  await db.database.asTenant(user.tenantId, (transaction) => writeTitle(transaction, sessionId, 'generated'));
  await forget(sessionId, 'titled-1');
  expect(await db.value('SELECT title AS value FROM sessions WHERE id = $1', [sessionId])).toBe('mine');
});

test('a learning without quotes loses its text, unless it came from users only', async () => {
  const sessionId = await prompted('quoted', 'quoted-1');
  const rowId = await db.value<string>('SELECT id AS value FROM prompts WHERE session_id = $1', [sessionId]);
  const plant = async (description: string, origin: string, previousId: string | null = null) => {
    const id: string = newId();
    await db.write(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from, origin, previous_id)
       VALUES ($1::uuid, $2, $3, sha256($1::text::bytea), 'general', '', $4, 0.5, now(), $5, $6)`,
      [id, user.tenantId, user.userId, description, origin, previousId],
    );
    await db.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, 'q', $3, $4, 'words')",
      [id, rowId, user.tenantId, sessionId],
    );
    return id;
  };
  const extracted = await plant('extracted', 'extracted');
  await plant('reworded by hand', 'user', extracted);
  await plant('derived from a text by hand', 'extracted', await plant('written by hand', 'user'));
  await plant('corrected by hand', 'user', await plant('written by hand, too', 'user'));
  await forget(sessionId, 'quoted-1');
  const rows = await db.rows<{ description: string; open: boolean }>(
    'SELECT description, valid_to IS NULL AS open FROM learnings WHERE tenant_id = $1 ORDER BY description',
    [user.tenantId],
  );
  const erased = { description: '', open: false };
  expect(rows).toEqual([
    erased,
    erased,
    erased,
    { description: 'corrected by hand', open: true },
    { description: 'written by hand', open: true },
    { description: 'written by hand, too', open: true },
  ]);
  expect(await db.count('learning_evidence')).toBe(0);
});

test('a chunk that is forgotten while it is embedded remains removable, and the sweep finds its tenant', async () => {
  const memoryId = newId();
  const chunk = { n: 0, text: 'text', contentHash: Buffer.alloc(32) };
  await db.database.asTenant(user.tenantId, (transaction) =>
    requestEmbeddings(transaction, user.tenantId, MODEL, [
      { type: 'prompt', id: memoryId, sessionId: null, chunks: [chunk] },
    ]),
  );
  const [pending] = await db.database.asTenant(user.tenantId, (transaction) => pendingEmbeddings(transaction, 'm', 10));
  const ids = [pending?.id ?? ''];
  const maintenance = createPool({
    url: db.url('maintenance'),
    max: 1,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 5_000,
    applicationName: 'test',
    onIdleError: () => {},
  });
  try {
    const overtaken = await db.database.asTenant(user.tenantId, async (transaction) => {
      expect(await supersededEmbeddings(transaction, ids)).toEqual(new Set());
      expect(await requestRemoval(transaction, [memoryId])).toBe(1);
      await settleEmbeddings(transaction, pending === undefined ? [] : [pending], [
        { id: ids[0] ?? '', message: 'no' },
      ]);
      return supersededEmbeddings(transaction, ids);
    });
    expect(overtaken).toEqual(new Set(ids));
    expect(await tenantsWithPendingVectors(maintenance, 60_000, 10)).toEqual([user.tenantId]);
    const removable = await db.database.asTenant(user.tenantId, (transaction) => removableEmbeddings(transaction, 10));
    expect(removable).toEqual([{ id: ids[0], model: 'm', memoryId }]);
    await db.database.asTenant(user.tenantId, (transaction) => deleteRemoved(transaction, removable));
    expect(await tenantsWithPendingVectors(maintenance, 60_000, 10)).toEqual([]);
  } finally {
    await maintenance.end();
  }
});
