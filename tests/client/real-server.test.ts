import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecollectClient, RecollectError } from '../../client/index.ts';
import type { Memory } from '../../client/index.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { untilTrue } from '../setup/until.ts';
import { vectorsAtRest } from '../setup/vectors-at-rest.ts';

const FACTS = 7;
const instance = fileInstance();
let stop: () => Promise<void>;
let client: RecollectClient;
let hashes: readonly (string | null | undefined)[];

async function allOf(found: AsyncIterable<Memory>): Promise<Memory[]> {
  const all: Memory[] = [];
  for await (const memory of found) all.push(memory);
  return all;
}

beforeAll(async () => {
  stop = await instance.startWorker();
  client = new RecollectClient({ url: instance.url, apiKey: instance.admin.key });
  const facts = Array.from({ length: FACTS }, (_, n) => ({
    content: `Narwhal fact ${n}: the exporter writes page ${n} of the ledger.`,
    tags: ['narwhal', n % 2 === 0 ? 'even' : 'odd'],
  }));
  hashes = (await client.storeBatch([...facts, '', facts[0] ?? ''])).map(({ hash }) => hash);
  // Their order, by which pages are cut, changes with their vectors.
  await untilTrue(async () => (await instance.count("embeddings WHERE state = 'indexed'")) === FACTS);
  await vectorsAtRest(instance);
});
afterAll(async () => {
  await stop();
});

describe('the client on a real server', () => {
  test('stores many, and returns the result of each', async () => {
    expect(hashes.slice(FACTS)).toEqual([null, hashes[0]]);
    expect(new Set(hashes.slice(0, FACTS)).size).toBe(FACTS);
    expect(await client.store('Narwhal fact alone')).toEqual({ hash: expect.stringMatching(/^[a-z2-7]{8}$/) });
  });

  test('iterates over all that is found, in pages, and finds by tags', async () => {
    const found = await allOf(client.searchIter('narwhal exporter', { limit: 3, tags: ['narwhal'] }));
    expect(new Set(found.map(({ hash }) => hash))).toEqual(new Set(hashes.slice(0, FACTS)));
    const odd = await client.searchByTag(['narwhal', 'odd']);
    expect(odd.data.map(({ tags }) => tags.includes('odd'))).toEqual([true, true, true]);
  });

  test('reads by id and by hash, corrects, and forgets', async () => {
    const { hash } = await client.store({ content: 'The beluga job runs at noon.', title: 'Beluga' });
    const memory = await client.getByHash(hash);
    expect(await client.get(memory.id)).toEqual(memory);
    const before = new Date().toISOString();
    const corrected = await client.update(memory.id, { content: 'The beluga job runs at midnight.' });
    expect(corrected).toMatchObject({ title: '', content: 'The beluga job runs at midnight.' });
    expect((await client.get(hash)).id).toBe(corrected.id);
    expect((await client.get(hash, { as_of: before })).content).toBe('The beluga job runs at noon.');
    expect(await client.remove(corrected.hash)).toMatchObject({ id: corrected.id, type: 'learning' });
    await expect(client.get(memory.id)).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  test('lists neighbours, packs context, and reads health', async () => {
    const anchor = hashes[3] ?? '';
    const line = await client.timeline({ anchor, before: 1, after: 0 });
    expect(line.anchor?.hash).toBe(anchor);
    expect((await client.timeline({ anchor, format: 'compact' })).anchor).toMatchObject({ hash: anchor });
    const prompt = 'What does the narwhal exporter write?';
    // Without their vectors, memories may be too far from the prompt.
    await untilTrue(async () => (await client.context({ purpose: 'prompt', prompt })).id !== null);
    const block = await client.context({ purpose: 'prompt', prompt });
    expect(block.tokens).toBeLessThanOrEqual(900);
    const [latest] = (await client.contexts({ purpose: 'prompt', limit: 1 })).data;
    expect(latest?.id).toBe(block.id);
    expect((await client.servedContext(latest?.id ?? '')).items).toHaveLength(block.items.length);
    const page = await client.feed({ type: ['learning'], limit: 2 });
    expect(page.data.map(({ type }) => type)).toEqual(['learning', 'learning']);
    expect((await client.feed({ type: ['learning'], limit: 1, cursor: page.older ?? '' })).data).toHaveLength(1);
    const [first] = (await client.feedDensity({ type: ['learning'], bucket: 1 })).data;
    expect(first).toMatchObject({ at: expect.any(String) });
    // On a busy machine a dependency may respond too late.
    const well = { status: 'ok', dependencies: { postgres: { status: 'ok' } } };
    await expect.poll(() => client.health()).toMatchObject(well);
    await expect.poll(() => client.health({ format: 'compact' })).toEqual({ status: 'ok' });
  });

  test('gets the fault, the field and the request id of the log', async () => {
    const { key } = await instance.stranger({ scopes: ['read'] });
    const reader = new RecollectClient({ url: instance.url, apiKey: key, headers: { 'x-request-id': 'mine-1' } });
    await expect(reader.store('x')).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403, requestId: 'mine-1' });
    const refused = await client.search('x', { limit: 51 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RecollectError);
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ field: 'limit' }] });
    await expect(new RecollectClient({ url: instance.url }).recall('x')).rejects.toMatchObject({ status: 401 });
  });
});
