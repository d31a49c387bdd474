import { createHash, randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
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
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const db = fileDatabase();
let user: TestUser;
let sessionId: string;

beforeEach(async () => {
  user = await db.createUser();
  sessionId = await newSession();
});

async function newSession(): Promise<string> {
  await captureEvents(db.database.pool, [event(user, 'answers', [promptPart('A question')])]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [user.tenantId]);
  return rows[0]?.id ?? '';
}

function sha256(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

function responseTo(question: string, change: Partial<ResponseToCache> = {}): ResponseToCache {
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

const store = (entry: ResponseToCache) =>
  db.database.asTenant(user.tenantId, (transaction) => cacheResponse(transaction, entry));
const find = (question: string, version = 'v1', tenantId: string = user.tenantId) =>
  db.database.asTenant(asId(tenantId), (transaction) => findResponse(transaction, version, sha256(question)));
const findNear = (question: string, kind = 'v1 shape', version = 'v1') =>
  db.database.asTenant(user.tenantId, (transaction) =>
    findNearResponses(transaction, version, bandKeys(signatureOf(question), kind)),
  );

async function count(table: string): Promise<number> {
  return db.count(`${table} WHERE tenant_id = $1`, [user.tenantId]);
}

function forgotten(): Promise<number> {
  return db.database.asTenant(user.tenantId, (transaction) => forgottenSoFar(transaction, sessionId));
}

const LONG = Array.from({ length: 300 }, (_, n) => `word${n * 7}`).join(' ');

describe('the same request', () => {
  test('has the stored response, only in its tenant and for its instructions', async () => {
    await store(responseTo('a question'));
    expect(await find('a question')).toEqual({
      response: 'the answer to a question',
      provider: 'anthropic',
      model: 'a-model',
    });
    expect(await find('another question')).toBeNull();
    expect(await find('a question', 'v2')).toBeNull();
    const other = await db.createUser();
    expect(await find('a question', 'v1', other.tenantId)).toBeNull();
  });

  test('stores only the newest response', async () => {
    await store(responseTo('a question'));
    await store(responseTo('a question', { response: 'a better one' }));
    expect(await find('a question')).toMatchObject({ response: 'a better one' });
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([1, 16]);
  });

  test('has no response after its expiry; the next stored one deletes it, with its bands', async () => {
    await store(responseTo('a question'));
    await db.write("UPDATE model_response_cache SET expires_at = now() - interval '1 s' WHERE tenant_id = $1", [
      user.tenantId,
    ]);
    expect(await find('a question')).toBeNull();
    await store(responseTo('another question'));
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([1, 16]);
  });

  test('skips an expired response that another call has locked, without waiting', async () => {
    await store(responseTo('a question'));
    await db.write("UPDATE model_response_cache SET expires_at = now() - interval '1 s' WHERE tenant_id = $1", [
      user.tenantId,
    ]);
    const other = await db.maintenance.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM model_response_cache WHERE tenant_id = $1 FOR UPDATE', [user.tenantId]);
      await store(responseTo('another question'));
      expect(await count('model_response_cache')).toBe(2);
      await other.query('COMMIT');
    } finally {
      other.release(true);
    }
    await store(responseTo('a third question'));
    expect(await count('model_response_cache')).toBe(2);
  });
});

describe('an unreadable response', () => {
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
  const mark = {
    state: 'repairable',
    kind: 'truncated',
    problem: 'it ends in the middle',
    where: 'answer.end',
    usage,
  } as const;
  const failed = (session = sessionId) =>
    db.database.asTenant(user.tenantId, (transaction) =>
      findUnreadable(transaction, session, 'v1', sha256('a question')),
    );

  test('is found only by its session, and never served', async () => {
    await store(responseTo('a question', { unreadable: mark }));
    expect(await find('a question')).toBeNull();
    expect(await findNear('a question')).toEqual([]);
    expect(await failed()).toEqual({ response: 'the answer to a question', ...mark });
    expect(await failed(randomUUID())).toBeNull();
  });

  test('is replaced by the note that its repair failed, too', async () => {
    const abandoned = {
      state: 'abandoned',
      kind: 'invalid_output',
      where: 'answer.start',
      usage: [usage, usage],
    } as const;
    await store(responseTo('a question', { unreadable: mark }));
    await store(responseTo('a question', { response: '', unreadable: abandoned }));
    expect(await failed()).toEqual({ response: '', ...abandoned });
  });

  test('is replaced by a readable one, and never replaces it', async () => {
    await store(responseTo(LONG, { requestSha256: sha256('a question'), unreadable: mark }));
    await store(responseTo(LONG, { requestSha256: sha256('a question'), response: 'repaired' }));
    expect([await find('a question'), await failed()]).toMatchObject([{ response: 'repaired' }, null]);
    expect(await findNear(LONG)).toMatchObject([{ response: 'repaired' }]);
    await store(responseTo('a question', { response: 'wrong', unreadable: mark }));
    expect([await find('a question'), await failed()]).toMatchObject([{ response: 'repaired' }, null]);
  });

  test('is dropped without readable ones', async () => {
    const drop = (question: string) =>
      db.database.asTenant(user.tenantId, (transaction) => dropUnreadable(transaction, 'v1', sha256(question)));
    await store(responseTo('a question', { unreadable: mark }));
    await store(responseTo('another question'));
    await drop('a question');
    await drop('another question');
    expect([await failed(), await find('another question')]).toMatchObject([null, { model: 'a-model' }]);
  });
});

describe('a similar request', () => {
  test('is found by shared words, with the data to judge it', async () => {
    await store(responseTo(`${LONG} once`));
    const [near, ...others] = await findNear(`${LONG} twice`);
    expect(others).toEqual([]);
    expect(near).toMatchObject({ response: `the answer to ${LONG} once`, novelWords: 3 });
    expect(near?.signature).toEqual(signatureOf(`${LONG} once`));
  });

  test('is not found if the kind, the instructions or the words differ', async () => {
    await store(responseTo(LONG));
    expect(await findNear(LONG, 'another shape')).toEqual([]);
    expect(await findNear(LONG, 'v1 shape', 'v2')).toEqual([]);
    expect(await findNear('nothing of the kind was ever written before')).toEqual([]);
  });

  test('is looked for among eight at most', async () => {
    for (let n = 0; n < 12; n += 1) await store(responseTo(LONG, { requestSha256: sha256(String(n)) }));
    expect(await findNear(LONG)).toHaveLength(8);
  });

  test('is found by an index as the application’s role', async () => {
    await store(responseTo(LONG));
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

describe('forgetting', () => {
  test('deletes the responses to forgotten content', async () => {
    await store(responseTo('a question'));
    await db.database.asTenant(user.tenantId, (transaction) => forgetResponses(transaction, sessionId));
    expect([await count('model_response_cache'), await count('model_response_bands')]).toEqual([0, 0]);
  });

  test('does so for a session and for one event of it', async () => {
    const rows = await db.rows<{ key: string }>('SELECT key FROM capture_keys WHERE session_id = $1', [sessionId]);
    await store(responseTo('a question'));
    await db.database.asTenant(user.tenantId, async (transaction) => {
      const found = await readCapturedEvent(transaction, sessionId, rows[0]?.key ?? '');
      if (found === null) throw new Error('the event is missing');
      return forgetEvent(transaction, found);
    });
    expect(await count('model_response_cache')).toBe(0);
    await store(responseTo('a question', { forgotten: await forgotten() }));
    expect(await count('model_response_cache')).toBe(1);
    await db.database.asTenant(user.tenantId, (transaction) => forgetSession(transaction, sessionId));
    expect(await count('model_response_cache')).toBe(0);
  });

  test('prevents a concurrent call from storing its response', async () => {
    await db.write(
      "INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) SELECT tenant_id, host, external_id, sha256('k') FROM sessions WHERE id = $1",
      [sessionId],
    );
    await store(responseTo('a question'));
    expect(await find('a question')).toBeNull();
    await store(responseTo('a question', { forgotten: 1 }));
    expect(await find('a question')).not.toBeNull();
  });
});
