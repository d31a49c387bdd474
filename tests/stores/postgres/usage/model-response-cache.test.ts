import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { asId } from '../../../../domain/ids.ts';
import { bandKeys, signatureOf } from '../../../../domain/similarity.ts';
import { readCapturedEvent } from '../../../../stores/postgres/capture/captured-events.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { forgetEvent, forgetSession } from '../../../../stores/postgres/erasure/forget.ts';
import { forgottenSoFar } from '../../../../stores/postgres/erasure/forgotten.ts';
import {
  dropUnreadable,
  findResponse,
  findNearResponses,
  findUnreadable,
  forgetResponses,
  cacheResponse,
} from '../../../../stores/postgres/usage/model-response-cache.ts';
import type { ResponseToCache } from '../../../../stores/postgres/usage/model-response-cache.ts';
import { createTestDatabase, createTestUser } from '../../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

let db: TestDatabase;
let user: TestUser;
let sessionId: string;

beforeAll(async () => {
  db = await createTestDatabase();
});
beforeEach(async () => {
  user = await createTestUser(db.superuser);
  sessionId = await newSession();
});
afterAll(() => db.close());

async function newSession(): Promise<string> {
  await captureEvents(db.database.pool, [event(user, 'answers', [promptPart('A question')])]);
  const { rows } = await db.superuser.query<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [
    user.tenantId,
  ]);
  return rows[0]?.id ?? '';
}

function sha256(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

function answerTo(question: string, change: Partial<ResponseToCache> = {}): ResponseToCache {
  const signature = signatureOf(question);
  return {
    tenantId: user.tenantId,
    sessionId,
    promptVersion: 'v1',
    requestSha256: sha256(question),
    response: `the answer to ${question}`,
    provider: 'anthropic',
    model: 'a-model',
    tokens: 150,
    near: { signature, keys: bandKeys(signature, 'v1 shape'), novelWords: 3 },
    days: 30,
    unreadable: null,
    forgotten: 0,
    ...change,
  };
}

const keep = (entry: ResponseToCache) =>
  db.database.asTenant(user.tenantId, (transaction) => cacheResponse(transaction, entry));
const find = (question: string, version = 'v1', tenantId: string = user.tenantId) =>
  db.database.asTenant(asId(tenantId), (transaction) => findResponse(transaction, version, sha256(question)));
const findNear = (question: string, kind = 'v1 shape', version = 'v1') =>
  db.database.asTenant(user.tenantId, (transaction) =>
    findNearResponses(transaction, version, bandKeys(signatureOf(question), kind)),
  );

async function count(table: string): Promise<number> {
  const { rows } = await db.superuser.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM ${table} WHERE tenant_id = $1`,
    [user.tenantId],
  );
  return rows[0]?.n ?? -1;
}

function forgotten(): Promise<number> {
  return db.database.asTenant(user.tenantId, (transaction) => forgottenSoFar(transaction, sessionId));
}

const LONG = Array.from({ length: 300 }, (_, n) => `word${n * 7}`).join(' ');

describe('the same question', () => {
  test('has the answer that was kept, in its tenant and for its instructions alone', async () => {
    await keep(answerTo('a question'));
    expect(await find('a question')).toEqual({
      response: 'the answer to a question',
      provider: 'anthropic',
      model: 'a-model',
    });
    expect(await find('another question')).toBeNull();
    expect(await find('a question', 'v2')).toBeNull();
    const other = await createTestUser(db.superuser);
    expect(await find('a question', 'v1', other.tenantId)).toBeNull();
  });

  test('keeps the newest answer, once', async () => {
    await keep(answerTo('a question'));
    await keep(answerTo('a question', { response: 'a better one' }));
    expect(await find('a question')).toMatchObject({ response: 'a better one' });
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([1, 16]);
  });

  test('has none once it expired; the next that is kept takes it away, with its bands', async () => {
    await keep(answerTo('a question'));
    await db.superuser.query(
      "UPDATE model_response_cache SET expires_at = now() - interval '1 s' WHERE tenant_id = $1",
      [user.tenantId],
    );
    expect(await find('a question')).toBeNull();
    await keep(answerTo('another question'));
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([1, 16]);
  });

  test('that expired and is held by another call is left to that call, and waited for by none', async () => {
    await keep(answerTo('a question'));
    await db.superuser.query(
      "UPDATE model_response_cache SET expires_at = now() - interval '1 s' WHERE tenant_id = $1",
      [user.tenantId],
    );
    const other = await db.superuser.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM model_response_cache WHERE tenant_id = $1 FOR UPDATE', [user.tenantId]);
      await keep(answerTo('another question'));
      expect(await count('model_response_cache')).toBe(2);
      await other.query('COMMIT');
    } finally {
      other.release(true);
    }
    await keep(answerTo('a third question'));
    expect(await count('model_response_cache')).toBe(2);
  });
});

describe('an answer that cannot be used', () => {
  const usage = {
    provider: 'anthropic',
    model: 'a-model',
    inputTokens: 100,
    outputTokens: 50,
    tokensCached: 0,
    tokensCacheWritten: 0,
    costUsd: 0.001,
    batch: false,
    latencyMs: 5,
  } as const;
  const mark = { kind: 'truncated', problem: 'it ends in the middle', where: 'answer.end', usage } as const;
  const failed = (session = sessionId) =>
    db.database.asTenant(user.tenantId, (transaction) =>
      findUnreadable(transaction, session, 'v1', sha256('a question')),
    );

  test('is found by its session alone, and never as an answer', async () => {
    await keep(answerTo('a question', { unreadable: mark }));
    expect(await find('a question')).toBeNull();
    expect(await findNear('a question')).toEqual([]);
    expect(await failed()).toEqual({ response: 'the answer to a question', ...mark });
    expect(await failed(randomUUID())).toBeNull();
  });

  test('gives way to one that can, and never takes its place', async () => {
    await keep(answerTo(LONG, { requestSha256: sha256('a question'), unreadable: mark }));
    await keep(answerTo(LONG, { requestSha256: sha256('a question'), response: 'repaired' }));
    expect([await find('a question'), await failed()]).toMatchObject([{ response: 'repaired' }, null]);
    expect(await findNear(LONG)).toMatchObject([{ response: 'repaired' }]);
    await keep(answerTo('a question', { response: 'wrong', unreadable: mark }));
    expect([await find('a question'), await failed()]).toMatchObject([{ response: 'repaired' }, null]);
  });

  test('is dropped alone', async () => {
    const drop = (question: string) =>
      db.database.asTenant(user.tenantId, (transaction) => dropUnreadable(transaction, 'v1', sha256(question)));
    await keep(answerTo('a question', { unreadable: mark }));
    await keep(answerTo('another question'));
    await drop('a question');
    await drop('another question');
    expect([await failed(), await find('another question')]).toMatchObject([null, { model: 'a-model' }]);
  });
});

describe('a question that is nearly the same', () => {
  test('is found by what it shares, with what is needed to judge it', async () => {
    await keep(answerTo(`${LONG} once`));
    const [near, ...others] = await findNear(`${LONG} twice`);
    expect(others).toEqual([]);
    expect(near).toMatchObject({ response: `the answer to ${LONG} once`, novelWords: 3 });
    expect(near?.signature).toEqual(signatureOf(`${LONG} once`));
  });

  test('is not, where the kind, the instructions or the words are others', async () => {
    await keep(answerTo(LONG));
    expect(await findNear(LONG, 'another shape')).toEqual([]);
    expect(await findNear(LONG, 'v1 shape', 'v2')).toEqual([]);
    expect(await findNear('nothing of the kind was ever said before')).toEqual([]);
  });

  test('is looked for among eight at most', async () => {
    for (let n = 0; n < 12; n += 1) await keep(answerTo(LONG, { requestSha256: sha256(String(n)) }));
    expect(await findNear(LONG)).toHaveLength(8);
  });

  test('is found by an index as the application’s role', async () => {
    await keep(answerTo(LONG));
    const keys = bandKeys(signatureOf(LONG), 'v1 shape').map(String);
    const plan = await db.database.asTenant(user.tenantId, async (transaction) => {
      await transaction.$executeRaw`SET LOCAL enable_seqscan = off`;
      return transaction.$queryRaw<{ 'QUERY PLAN': string }[]>`
        EXPLAIN SELECT response_id FROM model_response_bands WHERE tenant_id = (SELECT current_tenant_id()) AND key = ANY (${keys}::bigint[])`;
    });
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toMatch(/Index.*model_response_bands_pkey/u);
    expect(text).toMatch(/Index Cond:.*key = ANY/u);
  });
});

describe('what was forgotten', () => {
  test('takes the answers that were made from it along', async () => {
    await keep(answerTo('a question'));
    await db.database.asTenant(user.tenantId, (transaction) => forgetResponses(transaction, sessionId));
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([0, 0]);
  });

  test('does so whether the session is forgotten or one event of it', async () => {
    const { rows } = await db.superuser.query<{ key: string }>('SELECT key FROM capture_keys WHERE session_id = $1', [
      sessionId,
    ]);
    await keep(answerTo('a question'));
    await db.database.asTenant(user.tenantId, async (transaction) => {
      const found = await readCapturedEvent(transaction, sessionId, rows[0]?.key ?? '');
      if (found === null) throw new Error('the event is missing');
      return forgetEvent(transaction, found);
    });
    expect(await count('model_response_cache')).toBe(0);
    await keep(answerTo('a question', { forgotten: await forgotten() }));
    expect(await count('model_response_cache')).toBe(1);
    await db.database.asTenant(user.tenantId, (transaction) => forgetSession(transaction, sessionId));
    expect(await count('model_response_cache')).toBe(0);
  });

  test('is not kept by a call that was on its way', async () => {
    await db.superuser.query(
      "INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) SELECT tenant_id, host, external_id, sha256('k') FROM sessions WHERE id = $1",
      [sessionId],
    );
    await keep(answerTo('a question'));
    expect(await find('a question')).toBeNull();
    await keep(answerTo('a question', { forgotten: 1 }));
    expect(await find('a question')).not.toBeNull();
  });
});
