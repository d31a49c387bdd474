import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { forgottenSchema } from '../../../contract/memory.ts';
import { captureAnswerSchema } from '../../../contract/events.ts';
import { newId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import { DEFAULT_PRESET } from '../../../domain/embedding-presets.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { sessionOf, settled } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { errorOf, expectError, bodyOf } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { promptEvent } from '../support/events.ts';
import { noteEvent } from '../support/events.ts';

const PATIENCE_MS = 120_000;
const external = 'small-1';
const id = `test:${external}`;
const instance = fileInstance();

const forget = async (path: string, key?: string) => bodyOf(forgottenSchema, await instance.delete(path, key));

/** How many of these objects stand in Weaviate. */
async function countIndexed(objectIds: readonly string[]): Promise<number> {
  const { weaviate } = instance.config;
  const index = createWeaviateIndex({ url: weaviate.url, grpcPort: weaviate.grpcPort, apiKey: weaviate.apiKey });
  try {
    return (await index.existing(instance.admin.tenantId, indexNameOf(DEFAULT_PRESET.name), objectIds)).size;
  } finally {
    await index.close();
  }
}

function vectorsRemoved(): Promise<void> {
  return untilTrue(
    async () => (await instance.count('embedding_removals')) === 0,
    PATIENCE_MS,
    'the removal of vectors',
  );
}

/** A learning with these rows as its evidence. */
async function learningOf(rowIds: readonly string[], sessionId: string): Promise<string> {
  const learningId = newId();
  const { tenantId, userId } = instance.admin;
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, user_id, session_id, fingerprint, category, title, description, context, examples, confidence, valid_from)
     VALUES ($1, $2, $3, $4, $5, 'solution', 'Rounding', 'Round half even', 'invoices', '["round(2.5)"]', 0.5, now())`,
    [learningId, tenantId, userId, sessionId, createHash('sha256').update(learningId).digest()],
  );
  for (const rowId of rowIds)
    await instance.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, 'q', $3, $4, 'rounding')",
      [learningId, rowId, tenantId, sessionId],
    );
  return learningId;
}

beforeAll(async () => {
  await instance.startWorker();
  await captured(instance, smallSession(external));
  await settled(instance, id);
});

describe('one event of a settled session', { timeout: PATIENCE_MS * 2 }, () => {
  const key = `tool:${external}-call-2`;
  let rowId: string;
  let otherRowId: string;
  let sessionId: string;
  let sole: string;
  let shared: string;

  beforeAll(async () => {
    const rowOf = async (n: number) =>
      await instance.text('SELECT row_id AS value FROM capture_keys WHERE key = $1', [`tool:${external}-call-${n}`]);
    rowId = await rowOf(2);
    otherRowId = await rowOf(3);
    sessionId = (await sessionOf(instance, id)).id;
    sole = await learningOf([rowId], sessionId);
    shared = await learningOf([rowId, otherRowId], sessionId);
  });

  const totals = () =>
    instance.rows(
      'SELECT (SELECT count(*) FROM observations) AS o, (SELECT count(*) FROM summaries) AS s, (SELECT count(*) FROM tombstones) AS t, (SELECT max(updated_at) FROM sessions) AS u',
    );

  test('a dry run counts what would go, and nothing goes', async () => {
    const before = await totals();
    const answer = await forget(`/events/${encodeURIComponent(key)}?dry_run=true`);
    expect(answer).toMatchObject({
      dry_run: true,
      key,
      forgotten: { observations: 1, prompts: 0, windows: 1, evidence: 2, learnings: 1 },
    });
    expect(answer.forgotten.summaries).toBeGreaterThan(1);
    expect(answer.forgotten.vectors).toBeGreaterThan(2);
    expect(await totals()).toEqual(before);
    expect((await sessionOf(instance, id)).status).toBe('ended');
  });

  test('is deleted with its vectors; its window is summarised anew; a learning without evidence closes and loses its text', async () => {
    const objects = await instance.rows<{ object_id: string }>(
      "SELECT object_id FROM embeddings WHERE resource_id = $1 OR resource_type = 'summary'",
      [rowId],
    );
    const objectIds = objects.map((row) => row.object_id);
    expect(await countIndexed(objectIds)).toBe(objectIds.length);
    const topicOf = () => instance.value<string>("SELECT id AS value FROM summaries WHERE type = 'topic'");
    const oldTopic = await topicOf();

    await forget(`/events/${encodeURIComponent(key)}`);
    expect(await instance.count('observations WHERE id = $1', [rowId])).toBe(0);
    expect(await instance.count('capture_keys WHERE key = $1', [key])).toBe(0);
    expect(await instance.count('learning_evidence WHERE row_id = $1', [rowId])).toBe(0);
    const [closed] = await instance.rows(
      'SELECT title, description, context, examples, reason, valid_to IS NOT NULL AS closed FROM learnings WHERE id = $1',
      [sole],
    );
    expect(closed).toEqual({
      title: 'Forgotten',
      description: '',
      context: '',
      examples: [],
      reason: 'evidence forgotten',
      closed: true,
    });
    expect(await instance.count('learnings WHERE id = $1 AND valid_to IS NULL', [shared])).toBe(1);

    const session = await settled(instance, id, PATIENCE_MS);
    expect(session.counts).toMatchObject({ observations: 2, windows_parked: 0 });
    expect(await topicOf()).toEqual(expect.not.stringMatching(oldTopic ?? 'none'));
    expect(await instance.count("summaries WHERE type = 'session' AND published")).toBe(1);
    expect(
      await instance.count("summaries WHERE content LIKE '%banker%' OR evidence::text LIKE $1", [`%${rowId}%`]),
    ).toBe(0);
    await vectorsRemoved();
    expect(await countIndexed(objectIds)).toBe(0);
  });

  test('leaves hashes alone behind, and nothing brings it back', async () => {
    const hash = createHash('sha256').update(`key:${key}`).digest();
    expect(await instance.count('tombstones WHERE external_id = $1 AND key_sha256 = $2', [external, hash])).toBe(1);
    const before = await instance.count('observations');
    const again = smallSession(external)[3];
    expectError(await instance.post('/events', again), 'EVENT_FORGOTTEN');
    const hook = { session_id: external, tool_name: 'Edit', tool_use_id: `${external}-call-2`, tool_response: 'again' };
    expect((await instance.post('/hooks/PostToolUse', hook)).status).toBe(200);
    // Of another host, so of another session: taken.
    expect(await instance.count('observations')).toBe(before + 1);
    expectError(await instance.delete(`/events/${encodeURIComponent(key)}?session=${id}`), 'NOT_FOUND');
  });

  test('a prompt is also forgotten by its text: the same words in that session are rejected', async () => {
    const body = promptEvent('words', 'the code word is swordfish');
    expect((await instance.post('/events', { ...body, key: 'first' })).status).toBe(202);
    await forget('/events/first?session=test:words');
    expectError(await instance.post('/events', { ...body, key: 'second' }), 'EVENT_FORGOTTEN');
    expect((await instance.post('/events', { ...body, key: 'third', content: 'other words' })).status).toBe(202);
    expect((await instance.post('/events', { ...body, session_id: 'elsewhere' })).status).toBe(202);
    expect(await instance.count("prompts WHERE content LIKE '%swordfish%'")).toBe(1);
  });

  test('an event without a key is found by the id of its row and known by its hash', async () => {
    const body = noteEvent('keyless', 'something without a key');
    const answer = await instance.post('/events', body);
    const row = captureAnswerSchema.parse(answer.body).items[0]?.id ?? '';
    expect((await forget(`/events/${row}`)).key).toMatch(/^hash:/);
    expectError(await instance.post('/events', body), 'EVENT_FORGOTTEN');
  });
});

describe('who may forget', () => {
  test('the owner and admins; no user of another tenant, no viewer, no key without the scope', async () => {
    const owner = await instance.user();
    const colleague = await instance.user();
    const viewer = await instance.user({ role: 'viewer' });
    const reader = await instance.user({ role: 'admin', scopes: ['read', 'capture'] });
    const stranger = await instance.stranger({ role: 'admin' });
    const body = promptEvent('mine', 'mine', { key: 'mine-1' });
    await instance.post('/events', body, owner.key);
    const attempt = (key: string) => instance.delete('/events/mine-1', key);
    expectError(await attempt(colleague.key), 'NOT_FOUND');
    expectError(await attempt(stranger.key), 'NOT_FOUND');
    expectError(await attempt(viewer.key), 'FORBIDDEN');
    expectError(await attempt(reader.key), 'FORBIDDEN');
    expectError(await instance.delete('/sessions/test:mine', owner.key), 'FORBIDDEN');
    expect(await forget('/events/mine-1', owner.key)).toMatchObject({ forgotten: { prompts: 1 } });
  });

  test('a key of several sessions is rejected as ambiguous', async () => {
    for (const session of ['twin-1', 'twin-2'])
      await instance.post('/events', promptEvent(session, 'twin', { key: 'twin' }));
    expectError(await instance.delete('/events/twin'), 'CONFLICT', 'session');
    expect(await forget('/events/twin?session=test:twin-2')).toMatchObject({ forgotten: { prompts: 1 } });
    expectError(await instance.delete('/events/twin?session=test:unknown'), 'NOT_FOUND');
  });
});

describe('a complete session', { timeout: PATIENCE_MS * 2 }, () => {
  test('is deleted with its rows, and its name is rejected afterwards', async () => {
    const before = await forget(`/sessions/${id}?dry_run=true`);
    expect(before).toMatchObject({ dry_run: true, key: null, forgotten: { observations: 2, prompts: 2 } });
    expect(await instance.count("sessions WHERE external_id = $1 AND status = 'ended'", [external])).toBe(1);
    await forget(`/sessions/${id}`);
    for (const table of [
      'prompts',
      'observations',
      'boundaries',
      'windows',
      'summaries',
      'capture_keys',
      'learning_evidence',
    ])
      expect([table, await instance.count(`${table} WHERE session_id = $1`, [before.session_id])]).toEqual([table, 0]);
    expect(await instance.count("learnings WHERE valid_to IS NULL OR description <> ''")).toBe(0);
    expectError(await instance.get(`/sessions/${id}`), 'NOT_FOUND');
    const event = promptEvent(external, 'back again');
    expect(errorOf(await instance.post('/events', event)).code).toMatch(/^(?:SESSION_DELETED|EVENT_FORGOTTEN)$/);
    await vectorsRemoved();
    expect(await instance.count('embeddings WHERE session_id = $1', [before.session_id])).toBe(0);
    const search = await instance.get('/search?q=rounding');
    expect(JSON.stringify(search.body)).not.toContain(before.session_id);
  });
});
