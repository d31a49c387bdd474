import { beforeAll, expect, test } from 'vitest';
import type { EventPart } from '../../../../domain/capture/event.ts';
import { newId } from '../../../../domain/ids.ts';
import type { RecallFilter } from '../../../../domain/ports/vector-index.ts';
import { VALUE_FILTERS } from '../../../../domain/search-names.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { readNewest } from '../../../../stores/postgres/search/newest.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, noted, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const owner = fileUser(db);
const colleague = fileUser(db, () => ({ tenantId: owner.tenantId }));
const stranger = fileUser(db);
/** Ids by name, for telling what was found. */
const names = new Map<string, string>();

const RAN: EventPart = {
  kind: 'tool',
  event: 'PostToolUse',
  name: 'Bash',
  input: { command: 'npm test' },
  response: 'passed',
  error: null,
  durationMs: null,
  importance: null,
  tags: [],
};
const minute = (at: number) => new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString();
let at = 0;

/** Captures parts, each a minute after the one before; answers their session. */
async function remember(user: TestUser, session: string, parts: readonly (readonly [string, EventPart])[]) {
  const outcomes = await captureEvents(
    db.database.pool,
    parts.map(([name, part]) => {
      at += 1;
      return event(user, session, [part], { key: `${session} ${name}`, occurredAt: minute(at) }, new Date(minute(at)));
    }),
  );
  outcomes.forEach(({ rowId }, place) => names.set(rowId ?? '', parts[place]?.[0] ?? ''));
  return outcomes[0]?.sessionId ?? '';
}

async function learn(name: string, { tenantId, userId }: TestUser, closedAt: string | null = null): Promise<void> {
  const id: string = newId();
  names.set(id, name);
  await db.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, tags, valid_from, valid_to, origin)
     VALUES ($1, $2, $3, $4, 'general', '', $5, 0.9, '{rule}', $6, $7, 'user')`,
    [id, tenantId, userId, Buffer.from(id), name, minute(0), closedAt],
  );
}

beforeAll(async () => {
  await learn('rule', owner);
  await learn('closed rule', owner, minute(5));
  await remember(owner, 'mine', [
    ['question', promptPart('Do the tests pass?')],
    ['run', RAN],
    ['edit', { ...RAN, name: 'Edit', input: { file_path: '/src/shop/money.ts' } }],
    ...Array.from({ length: 10 }, (_, n) => [`note ${n}`, noted(`much else ${n}`)] as const),
  ]);
  for (let n = 0; n < 5; n += 1) {
    const sessionId = await remember(colleague, `colleague-${n}`, [[`colleague ${n}`, promptPart(`a question ${n}`)]]);
    const id: string = newId();
    names.set(id, `summary ${n}`);
    await db.write(
      `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, tags, occurred_at)
       VALUES ($1, $2, $3, $4, 'topic:0', 'topic', '', 'text', 'm', 1, 1, 0, 1, 1, '{}', $5)`,
      [id, owner.tenantId, sessionId, colleague.userId, minute(at)],
    );
  }
});

async function newest(filter: RecallFilter, user: TestUser = owner): Promise<string[]> {
  const hits = await db.database.readAsTenant(user.tenantId, (read) => readNewest(read, filter, 30));
  return hits.map(({ memoryId }) => names.get(memoryId) ?? memoryId);
}

test('returns the newest first, with the fields for ranking', async () => {
  const hits = await db.database.readAsTenant(owner.tenantId, (read) => readNewest(read, {}, 3));
  expect(new Set(hits.map(({ memoryId }) => names.get(memoryId)))).toEqual(
    new Set(['summary 3', 'summary 4', 'colleague 4']),
  );
  expect(hits.map(({ score }) => Math.round(score * 3))).toEqual([3, 2, 1]);
  expect(hits.find(({ memoryType }) => memoryType === 'prompt')).toMatchObject({
    sessionId: expect.any(String),
    kind: 'user',
    tool: null,
  });
});

test('filters apply before the newest are selected', async () => {
  expect(await newest({ tool: 'Bash' })).toEqual(['run']);
  expect(await newest({ types: ['observation'], until: minute(4) })).toEqual(['edit', 'run']);
  expect(await newest({ files: ['shop/money.ts'] })).toEqual(['edit']);
  expect(await newest({ types: ['observation'], asOf: minute(2) })).toEqual(['run']);
});

test.each(VALUE_FILTERS)('the filter %s excludes rows of every type without the value', async (name) => {
  expect(await newest({ [name]: 'no such value' })).toEqual([]);
});

test('a viewer gets only own rows, and summaries of the newest sessions of all users', async () => {
  const seen = await newest({ viewerId: owner.userId });
  expect(seen).toEqual(expect.arrayContaining(['note 9', 'summary 4', 'rule']));
  expect(seen.filter((name) => name.startsWith('colleague'))).toEqual([]);
  expect(await newest({ viewerId: owner.userId, types: ['prompt'] })).toEqual(['question']);
  expect(await newest({}, stranger)).toEqual([]);
});

test('learnings stored by hand, without a session, are included while current', async () => {
  expect(await newest({ types: ['learning'] })).toEqual(['rule']);
  expect((await newest({ types: ['learning'], asOf: minute(3) })).toSorted()).toEqual(['closed rule', 'rule']);
  expect(await newest({ tags: ['rule'], kind: 'general' })).toEqual(['rule']);
  expect(await newest({ types: ['learning'], namespace: 'other' })).toEqual([]);
});
