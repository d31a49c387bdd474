import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { textHash } from '../../../activities/indexing/embed-chunks.ts';
import { chunkText } from '../../../domain/chunking.ts';
import { asId, chunkObjectId } from '../../../domain/ids.ts';
import { EmbedderUnavailable, TextsRefused } from '../../../domain/ports/embedder.ts';
import type { Embedder } from '../../../domain/ports/embedder.ts';
import { VectorIndexUnavailable } from '../../../domain/ports/vector-index.ts';
import type { VectorIndex } from '../../../domain/ports/vector-index.ts';
import { captureEvents } from '../../../stores/postgres/capture/capture.ts';
import { beginIndex, lockIndexes, readIndexes } from '../../../stores/postgres/embeddings/embedding-indexes.ts';
import { fillIndex, requestEmbeddings } from '../../../stores/postgres/embeddings/embedding-ledger.ts';
import { requestRemoval } from '../../../stores/postgres/embeddings/embedding-removal.ts';
import { pruneEmbeddingCache } from '../../../stores/postgres/retention/retention.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { fileDatabase } from '../../setup/database.ts';
import type { TestUser } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';
import { event, promptPart } from '../../stores/postgres/support/captures.ts';
import { countingEmbedder, embedNext } from './support/embed-next.ts';

const db = fileDatabase();
let vectors: VectorIndex;
let user: TestUser;

beforeAll(async () => {
  const { weaviate } = inject('engines');
  vectors = createWeaviateIndex({ ...weaviate, collectionPrefix: `T${randomUUID().replaceAll('-', '')}` });
});
afterAll(async () => {
  await vectors.close();
});
beforeEach(async () => {
  user = await db.createUser();
});

const embedBatch = (embedder: Embedder, cacheEntries = 100, index = vectors, other = embedder) =>
  embedNext({ database: db.database, tenantId: user.tenantId, vectors: index, cacheEntries }, embedder, other);

/** Captures prompts of a session and requests their vectors; returns the ids of their rows. */
async function wanted(session: string, texts: readonly string[]): Promise<string[]> {
  await captureEvents(db.database.pool, [
    event(
      user,
      session,
      texts.map((text) => promptPart(text)),
    ),
  ]);
  const rows = await db.rows<{ id: string; session_id: string; content: string }>(
    'SELECT p.id, p.session_id, p.content FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1 AND s.tenant_id = $2 ORDER BY p.seq',
    [session, user.tenantId],
  );
  await db.database.asTenant(user.tenantId, (transaction) =>
    requestEmbeddings(
      transaction,
      user.tenantId,
      { name: 'counting', dimension: 2 },
      rows.map(({ id, session_id: sessionId, content }) => ({
        type: 'prompt',
        id,
        sessionId,
        chunks: chunkText('', content),
      })),
    ),
  );
  return rows.map(({ id }) => id);
}

async function ledger(): Promise<Record<string, number>> {
  const rows = await db.rows<{ state: string; n: number }>(
    `SELECT state, count(*)::integer AS n
       FROM (SELECT tenant_id, state FROM embeddings UNION ALL SELECT tenant_id, 'to be removed' FROM embedding_removals) AS e WHERE tenant_id = $1 GROUP BY 1`,
    [user.tenantId],
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

async function cached(): Promise<number> {
  return db.count('embedding_cache WHERE tenant_id = $1', [user.tenantId]);
}

describe('pending chunks', () => {
  test('are embedded in batches of tokens, each sorted by length, each text once', async () => {
    const short = Array.from({ length: 30 }, (_, n) => `short text ${n}`);
    const long = Array.from({ length: 40 }, (_, n) => `${n} ${'a longer text of some words '.repeat(33)}`);
    await wanted('batches', [...long, ...short, ...short.slice(0, 5)]);
    const { embedder, calls, read } = countingEmbedder();
    const result = await embedBatch(embedder);
    expect(result).toMatchObject({ indexed: 75, refused: 0, more: false });
    expect(read().length).toBe(new Set(read()).size);
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) {
      const lengths = call.map((text) => text.length);
      expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    }
    for (const call of calls) expect(call.join('').length / 4).toBeLessThan(8_192);
    expect(await ledger()).toEqual({ indexed: 75 });
  });

  test('that are requested while the last batch is embedded are reported: their session sends no hint', async () => {
    await wanted('last', ['the last text']);
    const { embedder } = countingEmbedder();
    const interrupted: Embedder = {
      ...embedder,
      embed: async (...call) => {
        await wanted('late', ['a late text']);
        return embedder.embed(...call);
      },
    };
    expect(await embedBatch(interrupted)).toMatchObject({ indexed: 1, more: true });
    expect(await embedBatch(embedder)).toMatchObject({ indexed: 1, more: false });
  });

  test('of known texts cost no model call, and both are counted', async () => {
    await wanted('first', ['one text', 'another text', 'one text']);
    const first = countingEmbedder();
    expect(await embedBatch(first.embedder)).toMatchObject({ indexed: 3 });
    expect(first.read()).toEqual(['one text', 'another text']);
    await wanted('second', ['another text', 'a third text']);
    const second = countingEmbedder();
    expect(await embedBatch(second.embedder)).toMatchObject({ indexed: 2 });
    expect(second.read()).toEqual(['a third text']);
    const rows = await db.rows(
      'SELECT model, texts::integer, cache_hits::integer, batches::integer FROM embedding_counts WHERE tenant_id = $1',
      [user.tenantId],
    );
    expect(rows).toEqual([{ model: 'counting', texts: 3, cache_hits: 2, batches: 2 }]);
    const booked = await db.rows(
      "SELECT operation, provider, input_tokens, cost_usd::float, user_id FROM usage_ledger WHERE tenant_id = $1 AND operation = 'embedding' ORDER BY id",
      [user.tenantId],
    );
    expect(booked).toEqual([
      { operation: 'embedding', provider: 'http', input_tokens: 2, cost_usd: 0.5, user_id: null },
      { operation: 'embedding', provider: 'http', input_tokens: 1, cost_usd: 0.5, user_id: null },
    ]);
    // The cached vector equals the written one, to 16 bits.
    const [id = ''] = await wanted('third', ['one text']);
    const third = countingEmbedder();
    await embedBatch(third.embedder);
    expect(third.calls).toEqual([]);
    // Vectors are found by the graph, which is built a moment after they are stored.
    const score = await until(async () => {
      const query = new Float32Array([Math.cos(8), Math.sin(8)]);
      const near = await vectors.nearest(user.tenantId, 'counting', query, {}, 10);
      return near.find((hit) => hit.objectId === chunkObjectId(user.tenantId, asId(id), 0, 'counting'))?.score;
    });
    expect(score).toBeGreaterThan(0.999_999);
  });

  test('are not embedded again after a failed write', async () => {
    await wanted('index-down', ['embedded once']);
    const { embedder, calls } = countingEmbedder();
    // Nothing listens on port 9.
    const unreachable = createWeaviateIndex({ ...inject('engines').weaviate, url: 'http://127.0.0.1:9', grpcPort: 9 });
    await expect(embedBatch(embedder, 100, unreachable)).rejects.toBeInstanceOf(VectorIndexUnavailable);
    await unreachable.close();
    expect(await ledger()).toEqual({ pending: 1 });
    expect(await embedBatch(embedder)).toMatchObject({ indexed: 1 });
    expect(calls).toHaveLength(1);
  });

  test('that the provider rejects do not block others', async () => {
    await wanted('refused', ['good one', 'poison', 'good two', 'good three', 'good four']);
    const refusing = countingEmbedder((texts) => (texts.includes('poison') ? new TextsRefused('400') : null));
    expect(await embedBatch(refusing.embedder)).toMatchObject({ indexed: 4, refused: 1, more: true });
    expect(await ledger()).toEqual({ indexed: 4, pending: 1 });
  });

  test('that must not be sent are withheld at once, without a call', async () => {
    await wanted('withheld', ['good one', 'private', 'good two']);
    const { embedder, calls } = countingEmbedder();
    const withholding = { ...embedder, withholds: (text: string) => text === 'private' };
    expect(await embedBatch(withholding)).toMatchObject({ indexed: 2, refused: 1 });
    expect(calls.flat().toSorted()).toEqual(['good one', 'good two']);
    const rows = await db.rows('SELECT state, attempts FROM embeddings WHERE tenant_id = $1 AND state <> $2', [
      user.tenantId,
      'indexed',
    ]);
    expect(rows).toEqual([{ state: 'withheld', attempts: 1 }]);
  });

  test('are not marked as failed if the provider rejects every text', async () => {
    await wanted('misconfigured', ['good one', 'good two']);
    const { embedder } = countingEmbedder(() => new TextsRefused('the embedding provider answered 400'));
    await expect(embedBatch(embedder)).rejects.toBeInstanceOf(EmbedderUnavailable);
    const rows = await db.rows('SELECT state, attempts FROM embeddings WHERE tenant_id = $1', [user.tenantId]);
    expect(rows).toEqual([
      { state: 'pending', attempts: 0 },
      { state: 'pending', attempts: 0 },
    ]);
  });
});

describe('the cache', () => {
  test('drops forgotten texts that no other memory has', async () => {
    const [single = '', shared = ''] = await wanted('forgotten', ['only here', 'stored twice']);
    await wanted('stays', ['stored twice']);
    const { embedder } = countingEmbedder();
    await embedBatch(embedder);
    expect(await cached()).toBe(2);
    await db.database.asTenant(user.tenantId, (transaction) => requestRemoval(transaction, [single, shared]));
    await embedBatch(embedder);
    expect(await ledger()).toEqual({ indexed: 1 });
    const rows = await db.rows<{ hash: string }>(
      "SELECT encode(content_hash, 'hex') AS hash FROM embedding_cache WHERE tenant_id = $1",
      [user.tenantId],
    );
    expect(rows).toEqual([{ hash: textHash('stored twice') }]);
  });

  test('indexes a memory again that was requested again before its removal', async () => {
    const [id = ''] = await wanted('again', ['removed and back']);
    const { embedder, calls } = countingEmbedder();
    await embedBatch(embedder);
    await db.database.asTenant(user.tenantId, async (transaction) => {
      await requestRemoval(transaction, [id]);
      const chunks = chunkText('', 'removed and back');
      await requestEmbeddings(transaction, user.tenantId, { name: 'counting', dimension: 2 }, [
        { type: 'prompt', id, sessionId: null, chunks },
      ]);
    });
    // As if its new chunk was written before the removal of the former one, which has the same object.
    await db.write("UPDATE embeddings SET state = 'indexed' WHERE resource_id = $1", [id]);
    await embedBatch(embedder);
    expect(await ledger()).toEqual({ indexed: 1 });
    const rows = await db.rows<{ model: string; object_id: string }>(
      'SELECT model, object_id FROM embeddings WHERE resource_id = $1',
      [id],
    );
    const [row = { model: '', object_id: '' }] = rows;
    expect(await vectors.existing(user.tenantId, row.model, [row.object_id])).toEqual(new Set([row.object_id]));
    expect(calls).toHaveLength(2);
  });

  test('drops texts that their memory no longer has', async () => {
    const [id = ''] = await wanted('changed', ['as it was']);
    const { embedder } = countingEmbedder();
    await embedBatch(embedder);
    await db.write("UPDATE prompts SET content = 'as it is' WHERE id = $1", [id]);
    await db.write("UPDATE embeddings SET state = 'pending' WHERE resource_id = $1", [id]);
    await embedBatch(embedder);
    const rows = await db.rows<{ hash: string }>(
      "SELECT encode(content_hash, 'hex') AS hash FROM embedding_cache WHERE tenant_id = $1",
      [user.tenantId],
    );
    expect(rows).toEqual([{ hash: textHash('as it is') }]);
  });

  test('is separate for each tenant', async () => {
    await wanted('mine', ['the same words']);
    const { embedder, calls } = countingEmbedder();
    await embedBatch(embedder);
    user = await db.createUser();
    await wanted('first', ['the same words']);
    await embedBatch(embedder);
    expect(calls).toHaveLength(2);
  });

  test('can be disabled', async () => {
    await wanted('uncached', ['a text']);
    const { embedder } = countingEmbedder();
    expect(await embedBatch(embedder, 0)).toMatchObject({ indexed: 1 });
    expect(await cached()).toBe(0);
  });

  test('is pruned to its limit, oldest first', async () => {
    await wanted('many', ['one', 'two', 'three', 'four']);
    await embedBatch(countingEmbedder().embedder);
    await db.write(
      "UPDATE embedding_cache SET created_at = now() - interval '1 day' WHERE tenant_id = $1 AND content_hash = ANY (ARRAY[sha256('one'), sha256('two')])",
      [user.tenantId],
    );
    const maintenance = new pg.Pool({ connectionString: db.url('maintenance'), max: 1 });
    try {
      expect(await pruneEmbeddingCache(maintenance, 2)).toBeGreaterThanOrEqual(2);
    } finally {
      await maintenance.end();
    }
    const rows = await db.rows<{ hash: string }>(
      "SELECT encode(content_hash, 'hex') AS hash FROM embedding_cache WHERE tenant_id = $1 ORDER BY 1",
      [user.tenantId],
    );
    expect(rows.map(({ hash }) => hash)).toEqual([textHash('four'), textHash('three')].toSorted());
  });
});

describe('a target index', () => {
  const BUILT = { name: 'other@3', dimension: 2 };

  async function begin(): Promise<void> {
    await db.database.asTenant(user.tenantId, async (transaction) => {
      await lockIndexes(transaction, user.tenantId, { name: 'counting', dimension: 2 }, 'change');
      await beginIndex(transaction, BUILT);
    });
  }

  test('indexes new captures before the backfill', async () => {
    const old = await wanted('before', ['an old text']);
    await begin();
    await db.database.asTenant(user.tenantId, (transaction) =>
      fillIndex(transaction, user.tenantId, BUILT, [
        { type: 'prompt', id: old[0] ?? '', sessionId: null, chunks: chunkText('', 'an old text') },
      ]),
    );
    await wanted('meanwhile', ['a new text']);
    expect(await ledger()).toEqual({ pending: 3, filling: 1 });
    const served = countingEmbedder();
    const built = countingEmbedder(undefined, 'other');
    expect(await embedBatch(served.embedder, 100, vectors, built.embedder)).toMatchObject({ indexed: 3 });
    expect(served.read().toSorted()).toEqual(['a new text', 'an old text']);
    expect(built.read()).toEqual(['a new text']);
    expect(await embedBatch(served.embedder, 100, vectors, built.embedder)).toMatchObject({ indexed: 1, more: false });
    expect(built.read()).toEqual(['a new text', 'an old text']);
    expect(await ledger()).toEqual({ indexed: 4 });
  });

  test('waits for its own model, recorded, while the served one continues', async () => {
    await begin();
    await wanted('model-down', ['a text']);
    const unavailable = new EmbedderUnavailable('429', { retryAfterMs: 60_000 });
    const built = countingEmbedder(() => unavailable, 'other');
    const served = countingEmbedder();
    const result = await embedBatch(served.embedder, 100, vectors, built.embedder);
    expect(result).toMatchObject({ indexed: 1, more: false });
    expect(await ledger()).toEqual({ indexed: 1, pending: 1 });
    const shown = await db.database.readAsTenant(user.tenantId, readIndexes);
    expect(shown?.error).toBe('EmbedderUnavailable');
    expect((shown?.retryAt?.getTime() ?? 0) - Date.now()).toBeGreaterThan(30_000);
    // Until then it is not called, even if available again.
    const back = countingEmbedder(undefined, 'other');
    await embedBatch(served.embedder, 100, vectors, back.embedder);
    expect(back.calls).toEqual([]);
  });

  test('is written while the served one fails, whose failure is thrown at the end', async () => {
    await begin();
    await wanted('served-down', ['a text']);
    const served = countingEmbedder(() => new EmbedderUnavailable('unavailable'));
    const built = countingEmbedder(undefined, 'other');
    expect(await embedBatch(served.embedder, 100, vectors, built.embedder)).toMatchObject({ indexed: 1 });
    await expect(embedBatch(served.embedder, 100, vectors, built.embedder)).rejects.toThrow('unavailable');
    expect(await ledger()).toEqual({ pending: 1, indexed: 1 });
  });
});
