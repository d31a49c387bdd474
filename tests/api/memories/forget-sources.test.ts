import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { captureAnswerSchema } from '../../../contract/events.ts';
import { learningSchema } from '../../../contract/learnings.ts';
import { forgottenMemory } from '../../../contract/memory.ts';
import { compactAnswer } from '../../../contract/search.ts';
import { summarySchema } from '../../../contract/sessions.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { demoHooks, replay, settled } from '../../setup/demo-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const PATIENCE_MS = 240_000;
const instance = fileInstance();

beforeAll(async () => {
  await instance.startWorker();
});

const forget = async (name: string, query = '', key?: string) =>
  bodyOf(forgottenMemory, await instance.delete(`/memories/${name}${query}`, key));

/** Captures a prompt; returns the id of its row. */
async function prompted(session: string, content: string, key?: string): Promise<string> {
  const answer = await instance.post('/events', promptEvent(session, content, { key: content }), key);
  return captureAnswerSchema.parse(answer.body).items[0]?.id ?? '';
}

/** Creates a learning that quotes a row. */
async function learned(description: string, rowId: string, quote: string, key?: string) {
  const answer = await instance.post(
    '/learnings',
    { title: 'Known', description, evidence: [{ row_id: rowId, quote }] },
    key,
  );
  return learningSchema.parse(answer.body);
}

async function found(words: string): Promise<string[]> {
  const answer = await instance.get(`/search?format=compact&q=${encodeURIComponent(words)}`);
  return bodyOf(compactAnswer, answer).data.map(({ hash }) => hash);
}

const WORDS = 'the gryphon ledger counts integer cents';

test(
  'forgets a learning and names the prompt that search still finds, or forgets it, too',
  { timeout: PATIENCE_MS },
  async () => {
    const row = await prompted('gryphon', `Remember: ${WORDS}.`);
    const first = await learned(`Money: ${WORDS}`, row, WORDS);
    await untilTrue(async () => (await found(WORDS)).length === 2, PATIENCE_MS, 'both in the search');
    const alone = await forget(first.hash);
    expect(alone).toMatchObject({
      dry_run: false,
      forgotten: 1,
      sources: {
        forgotten: [],
        remaining: [
          {
            id: row,
            hash: memoryHash(row),
            type: 'prompt',
            kind: 'user',
            session: { external_id: 'gryphon' },
            preview: `Remember: ${WORDS}.`,
          },
        ],
        remaining_count: 1,
      },
    });
    expect(await found(WORDS)).toEqual([memoryHash(row)]);

    const second = await learned(`Amounts: ${WORDS}`, row, WORDS);
    const tried = await forget(second.hash, '?with_sources=true&dry_run=true');
    expect(tried).toMatchObject({ dry_run: true, sources: { forgotten: [{ id: row }], remaining_count: 0 } });
    expect((await instance.get(`/memories/${row}`)).status).toBe(200);
    const both = await forget(second.hash, '?with_sources=true');
    expect(both).toEqual({ ...tried, dry_run: false });
    expect(await found(WORDS)).toEqual([]);
    for (const name of [row, memoryHash(row), second.id, second.hash])
      expectError(await instance.get(`/memories/${name}`), 'NOT_FOUND');
    await untilTrue(
      async () => (await instance.count('embedding_removals')) === 0,
      PATIENCE_MS,
      'the removal of vectors',
    );
    expect(await instance.count('embeddings WHERE resource_id = ANY ($1)', [[row, first.id, second.id]])).toBe(0);
    // By these a restore forgets them again, and capture rejects the prompt.
    expect(
      await instance.count(
        "tombstones WHERE key_sha256 IN (sha256(convert_to('row:' || $1, 'UTF8')), sha256(convert_to('row:' || $2, 'UTF8')))",
        [row, second.id],
      ),
    ).toBe(2);
    expectError(
      await instance.post('/events', promptEvent('gryphon', `Remember: ${WORDS}.`, { key: 'again' })),
      'EVENT_FORGOTTEN',
    );
    expectError(await instance.delete(`/memories/${second.hash}?with_sources=true`), 'NOT_FOUND');
  },
);

test(
  'forgets the newest twenty sources of the caller, and counts those that remain',
  { timeout: PATIENCE_MS },
  async () => {
    const user = await instance.user();
    const own: string[] = [];
    for (let n = 0; n < 21; n += 1) own.push(await prompted('many', `basilisk ${n}`, user.key));
    const foreign = await prompted('foreign', 'basilisk of another user');
    const { id, hash } = await learned('A basilisk', own[0] ?? '', 'basilisk', user.key);
    await instance.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) SELECT $1, p.id, 'q', p.tenant_id, p.session_id, 'basilisk' FROM prompts p WHERE p.id = ANY ($2)",
      [id, [...own.slice(1), foreign]],
    );
    const { sources } = await forget(hash, '?with_sources=true', user.key);
    expect(sources.forgotten.map((source) => source.id)).toEqual(own.slice(1).reverse());
    expect(sources.remaining.map((source) => source.id)).toEqual(own.slice(0, 1));
    expect(sources.remaining_count).toBe(2);
    expect(await instance.count("prompts WHERE content LIKE 'basilisk%'")).toBe(2);
  },
);

test('takes the hash of a summary, and forgets it only with its sources', { timeout: PATIENCE_MS * 2 }, async () => {
  const hooks = demoHooks();
  const session = `claude-code:${hooks[0]?.session_id ?? ''}`;
  await replay(instance, hooks);
  await settled(instance, session, PATIENCE_MS);
  const listed = async () =>
    bodyOf(cursorPageOf(summarySchema), await instance.get(`/sessions/${session}/summaries?limit=100`)).data;
  const item = (await listed()).find(({ type, evidence }) => type === 'item' && evidence.length > 0);
  const { id, hash, evidence } = summarySchema.parse(item);
  expect(bodyOf(summarySchema, await instance.get(`/summaries/${hash}`))).toEqual(item);
  expect(bodyOf(summarySchema, await instance.get(`/summaries/${id}`))).toEqual(item);
  expectError(await instance.get('/summaries/aaaaaaaa'), 'NOT_FOUND');
  const rows = [...new Set(evidence.map((piece) => piece.row_id))].sort();
  const refused = await instance.delete(`/memories/${hash}`);
  expectError(refused, 'VALIDATION_FAILED', 'id', ...rows.map(() => 'id'));
  const { error, details } = z
    .object({ error: z.string(), details: z.array(z.object({ id: z.string().optional() })) })
    .parse(refused.body);
  expect(error).toContain('with_sources');
  expect(details.flatMap((detail) => detail.id ?? []).sort()).toEqual(rows);
  expect((await forget(hash, '?with_sources=true')).sources.forgotten.map((source) => source.id).sort()).toEqual(rows);
  expectError(await instance.get(`/summaries/${hash}`), 'NOT_FOUND');
  await settled(instance, session, PATIENCE_MS);
  const quoted = z
    .array(z.string())
    .parse((await listed()).flatMap((summary) => summary.evidence.map((piece) => piece.row_id)));
  expect(quoted.filter((rowId) => rows.includes(rowId))).toEqual([]);
});
