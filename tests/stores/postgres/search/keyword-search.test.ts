import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EventPart } from '../../../../domain/capture/event.ts';
import type { RecallFilter } from '../../../../domain/ports/vector-index.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fillRows, readNewRows } from '../../../../stores/postgres/capture/consumption.ts';
import { searchKeyword } from '../../../../stores/postgres/search/keyword-search.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, noted, promptPart } from '../support/captures.ts';

interface Known {
  readonly sessionId: string;
  readonly projectId: string;
}

const db = fileDatabase();
const owner = fileUser(db);
const colleague = fileUser(db, () => ({ tenantId: owner.tenantId }));
const stranger = fileUser(db);
let first: Known;
let second: Known;
/** Ids by name, for telling what was found. */
const names = new Map<string, string>();

/** Captures events and fills in their words, as the intake step does. */
async function remember(
  user: TestUser,
  externalId: string,
  project: string,
  parts: readonly { readonly name: string; readonly part: EventPart; readonly at?: string }[],
  namespace = 'default',
): Promise<Known> {
  const outcomes = await captureEvents(
    db.database.pool,
    parts.map(({ part, at }) =>
      event(user, externalId, [part], {
        key: randomUUID(),
        project: { name: project },
        namespace,
        occurredAt: at ?? null,
      }),
    ),
  );
  outcomes.forEach((outcome, index) => names.set(outcome.rowId ?? '', parts[index]?.name ?? ''));
  const sessionId = outcomes[0]?.sessionId ?? '';
  await db.database.asTenant(user.tenantId, async (transaction) => {
    const rows = await readNewRows(transaction, sessionId, 0, parts.length);
    await fillRows(
      transaction,
      rows.map((row) => ({ ...row, tokens: 1 })),
    );
  });
  const project_ = await db.rows<{ project_id: string }>('SELECT project_id FROM sessions WHERE id = $1', [sessionId]);
  return { sessionId, projectId: project_[0]?.project_id ?? '' };
}

async function write(
  name: string,
  user: TestUser,
  known: Known,
  kind: string,
  text: string,
  more: { readonly published?: boolean; readonly closed?: boolean; readonly tags?: readonly string[] } = {},
): Promise<void> {
  const id = randomUUID();
  names.set(id, name);
  if (kind === 'learning') {
    await db.write(
      `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, confidence, tags, valid_from, valid_to)
       VALUES ($1, $2, $3, $4, $5, $6, 'solution', '', $7, 0.5, $8, '2026-01-05T00:00:00Z', $9)`,
      [
        id,
        user.tenantId,
        known.projectId,
        user.userId,
        known.sessionId,
        Buffer.from(id),
        text,
        more.tags ?? [],
        more.closed === true ? new Date() : null,
      ],
    );
    return;
  }
  await db.write(
    `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, kind, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, tags, published, occurred_at)
     VALUES ($1, $2, $3, $4, $5, $11, $6, $7, '', $8, 'm', 1, 1, 0, 1, 2, $9, $10, '2026-01-05T00:00:00Z')`,
    [
      id,
      user.tenantId,
      known.sessionId,
      known.projectId,
      user.userId,
      kind === 'topic' ? 'topic' : 'item',
      kind === 'topic' ? null : kind,
      text,
      more.tags ?? [],
      more.published ?? true,
      id,
    ],
  );
}

beforeAll(async () => {
  const call: EventPart = {
    kind: 'tool',
    event: 'PostToolUse',
    name: 'Bash',
    input: { command: 'lighthouse audit' },
    response: 'score 98',
    error: null,
    durationMs: null,
    importance: null,
    tags: ['web'],
  };
  first = await remember(owner, 'one', 'alpha', [
    { name: 'prompt', part: promptPart('Where does the lighthouse report go?'), at: '2026-01-01T00:00:00Z' },
    {
      name: 'answer',
      part: promptPart('The lighthouse report goes to the archive', 'assistant'),
      at: '2026-01-02T00:00:00Z',
    },
    {
      name: 'note',
      part: noted('lighthouse keeper wants the report weekly', ['web', 'ops']),
      at: '2026-01-03T00:00:00Z',
    },
    { name: 'call', part: call, at: '2026-01-04T00:00:00Z' },
    { name: 'unrelated', part: noted('bananas ripen quickly') },
  ]);
  second = await remember(
    colleague,
    'two',
    'beta',
    [{ name: "colleague's", part: promptPart('lighthouse of my own') }],
    'side',
  );
  await remember(stranger, 'three', 'alpha', [{ name: "stranger's", part: promptPart('lighthouse of a stranger') }]);
  await write('topic', owner, first, 'topic', 'The lighthouse audit was repaired', { tags: ['web'] });
  await write('decision', owner, first, 'decision', 'Run the lighthouse at night');
  await write('draft', owner, first, 'topic', 'An older lighthouse text', { published: false });
  await write('learning', owner, first, 'learning', 'The lighthouse needs a quiet machine', { tags: ['web'] });
  await write('closed', owner, first, 'learning', 'The lighthouse needs a loud machine', { closed: true });
  await write('of beta', colleague, second, 'topic', 'A lighthouse in beta');
});

/** Names of what a question finds, sorted. */
async function find(question: string, filter: RecallFilter = {}, user: TestUser = owner): Promise<string[]> {
  const hits = await searchKeyword(db.database.pool, user.tenantId, question, filter, 50);
  return hits.map((hit) => names.get(hit.memoryId) ?? hit.memoryId).toSorted();
}

const ALL = ['answer', 'call', "colleague's", 'decision', 'learning', 'note', 'of beta', 'prompt', 'topic'];

describe('keyword search on PostgreSQL', () => {
  test('finds every type of memory, and neither drafts, closed learnings nor other tenants', async () => {
    expect(await find('lighthouse')).toEqual(ALL);
    expect(await find('lighthouse', {}, stranger)).toEqual(["stranger's"]);
    expect(await find('lighthouse', {}, { ...owner, tenantId: randomUUID() as never })).toEqual([]);
  });

  test("returns a viewer's own prompts and observations, and all summaries and learnings", async () => {
    expect(await find('lighthouse', { viewerId: owner.userId })).toEqual(ALL.filter((name) => name !== "colleague's"));
    expect(await find('lighthouse', { viewerId: colleague.userId })).toEqual([
      "colleague's",
      'decision',
      'learning',
      'of beta',
      'topic',
    ]);
  });

  test.each<[string, () => RecallFilter, string[]]>([
    ['types', () => ({ types: ['prompt', 'learning'] }), ['answer', "colleague's", 'learning', 'prompt']],
    ['no type at all', () => ({ types: [] }), []],
    ['a project', () => ({ projectId: second.projectId }), ["colleague's", 'of beta']],
    [
      'a session',
      () => ({ sessionId: first.sessionId }),
      ['answer', 'call', 'decision', 'learning', 'note', 'prompt', 'topic'],
    ],
    ['every session but one', () => ({ excludeSessionId: first.sessionId }), ["colleague's", 'of beta']],
    ['a namespace', () => ({ namespace: 'side' }), ["colleague's", 'of beta']],
    ['a kind of item', () => ({ kind: 'decision' }), ['decision']],
    ['a kind of prompt', () => ({ kind: 'assistant' }), ['answer']],
    ['a category', () => ({ kind: 'solution' }), ['learning']],
    ['a tool', () => ({ tool: 'Bash' }), ['call']],
    ['a tag', () => ({ tags: ['web'] }), ['call', 'learning', 'note', 'topic']],
    ['two tags', () => ({ tags: ['web', 'ops'] }), ['note']],
    ['a beginning', () => ({ types: ['observation'], since: '2026-01-04T00:00:00Z' }), ['call']],
    [
      'an end, which is not included',
      () => ({ types: ['prompt', 'observation'], until: '2026-01-03T00:00:00Z' }),
      ['answer', 'prompt'],
    ],
    [
      'several at once',
      () => ({
        types: ['observation'],
        tags: ['web'],
        sessionId: first.sessionId,
        namespace: 'default',
        until: '2026-01-04T00:00:00Z',
      }),
      ['note'],
    ],
  ])('is filtered by %s', async (_what, filter, expected) => {
    expect(await find('lighthouse', filter())).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ['lighthouse -report', ALL],
    ['keeper OR bananas', ['note', 'unrelated']],
    ['keeper bananas', ['note', 'unrelated']],
    ['ripening banana', ['unrelated']],
    ['the of and', []],
    ['', []],
    ["'); DROP TABLE sessions --", []],
    ['zeppelin', []],
  ])('understands %j', async (question, expected) => {
    expect(await find(question)).toEqual(expected);
  });

  test('returns the best first, and no more than the limit', async () => {
    const hits = await searchKeyword(db.database.pool, owner.tenantId, 'lighthouse keeper report', {}, 3);
    expect(hits.length).toBe(3);
    expect(names.get(hits[0]?.memoryId ?? '')).toBe('note');
    expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).toSorted((a, b) => b - a));
  });

  test('returns session, kind and tool of each hit for ranking', async () => {
    const hits = await searchKeyword(db.database.pool, owner.tenantId, 'lighthouse', {}, 50);
    const hitOf = (name: string) => hits.find(({ memoryId }) => names.get(memoryId) === name);
    const { sessionId } = first;
    expect(hitOf('call')).toMatchObject({ sessionId, kind: expect.any(String), tool: 'Bash' });
    expect(hitOf('answer')).toMatchObject({ sessionId, kind: 'assistant', tool: null });
    expect(hitOf('topic')).toMatchObject({ sessionId, kind: 'topic', tool: null });
    expect(hitOf('decision')).toMatchObject({ sessionId, kind: 'decision', tool: null });
    expect(hitOf('learning')).toMatchObject({ sessionId, kind: 'solution', tool: null });
  });

  test('returns nothing of a deleted session', async () => {
    await db.write("UPDATE sessions SET status = 'deleted' WHERE id = $1", [second.sessionId]);
    try {
      expect(await find('lighthouse')).toEqual(ALL.filter((name) => name !== "colleague's" && name !== 'of beta'));
    } finally {
      await db.write("UPDATE sessions SET status = 'active' WHERE id = $1", [second.sessionId]);
    }
  });
});
