import { beforeAll, describe, expect, test } from 'vitest';
import { sessionsAnswer } from '../../../contract/sessions.ts';
import { errorOf, expectError, bodyOf } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';

const SESSIONS = 45;
const instance = fileInstance();

const sessions = async (query = '') => bodyOf(sessionsAnswer, await instance.get(`/sessions${query}`));

const name = (index: number): string => `s-${String(index).padStart(2, '0')}`;

beforeAll(async () => {
  for (let index = 0; index < SESSIONS; index += 1) {
    const project = { remote: `git@example.org:team/${index % 3 === 0 ? 'alpha' : 'beta'}.git` };
    await instance.post('/events', {
      type: 'prompt',
      host: index % 2 === 0 ? 'claude-code' : 'other',
      session_id: name(index),
      content: 'hello',
      project,
    });
  }
  await instance.write(
    "UPDATE sessions SET title = CASE external_id WHEN 's-01' THEN 'Repair 100% of the_build' WHEN 's-02' THEN 'Repair the-build' ELSE 'Other work' END",
  );
  await instance.write(
    "UPDATE sessions SET status = 'ended', phase = 'settled', ended_at = now() WHERE external_id < 's-10'",
  );
  await instance.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 's-44'");
});

describe('the list of sessions', () => {
  test('has the newest first, twenty to a page, and leaves the deleted out', async () => {
    const { data, pagination } = await sessions();
    expect(data.map((session) => session.external_id)).toEqual(
      Array.from({ length: 20 }, (_, index) => name(SESSIONS - 2 - index)),
    );
    expect(pagination).toEqual({
      page: 1,
      limit: 20,
      total: 44,
      total_pages: 3,
      has_next: true,
      has_prev: false,
      next_cursor: expect.any(String),
    });
  });

  test('pages through everything once', async () => {
    const seen: string[] = [];
    for (let page = 1; ; page += 1) {
      const { data, pagination } = await sessions(`?limit=7&page=${page}`);
      seen.push(...data.map((session) => session.external_id));
      expect(pagination).toMatchObject({
        page,
        limit: 7,
        total: 44,
        total_pages: 7,
        has_prev: page > 1,
        has_next: page < 7,
      });
      if (!pagination.has_next) break;
    }
    expect(seen).toEqual(Array.from({ length: 44 }, (_, index) => name(SESSIONS - 2 - index)));
    expect((await sessions('?page=99')).data).toEqual([]);
  });

  test.each<['newest' | 'oldest']>([['newest'], ['oldest']])('continues by cursor without a gap: %s', async (sort) => {
    const seen: string[] = [];
    for (let cursor: string | null = null; ;) {
      const at: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { data, pagination, counts } = await sessions(`?limit=9&sort=${sort}${at}`);
      seen.push(...data.map((session) => session.external_id));
      // Counted once, for the first page.
      expect([pagination.total, pagination.total_pages, counts?.status.ended]).toEqual(
        cursor === null ? [44, 5, 10] : [null, null, undefined],
      );
      cursor = pagination.next_cursor;
      if (cursor === null) break;
      expectError(
        await instance.get(`/sessions?sort=${sort === 'newest' ? 'oldest' : 'newest'}&cursor=${cursor}`),
        'VALIDATION_FAILED',
      );
    }
    const all = Array.from({ length: 44 }, (_, index) => name(index));
    expect(seen).toEqual(sort === 'oldest' ? all : all.toReversed());
  });

  test('counts the sessions of the other filters by status and phase', async () => {
    const counts = { status: { active: 23, ended: 4, archived: 0 }, phase: { active: 23, settled: 4, closing: 0 } };
    for (const query of ['', '&status=active', '&phase=settled'])
      expect((await sessions(`?limit=1&project=beta&search=work${query}`)).counts).toMatchObject(counts);
  });

  test.each([
    ['?count=false&limit=30', 30, { page: 1, has_next: true, has_prev: false }],
    ['?count=false&limit=30&page=2', 14, { page: 2, has_next: false, has_prev: true }],
    ['?count=false&project=gamma', 0, { page: 1, has_next: false, has_prev: false }],
  ])('lists sessions without counting them: %s', async (query, rows, pagination) => {
    const answer = await sessions(query);
    expect([answer.data.length, answer.counts]).toEqual([rows, null]);
    expect(answer.pagination).toMatchObject({ ...pagination, total: null, total_pages: null });
  });

  test('counts or not, and nothing else', async () => {
    expect(errorOf(await instance.get('/sessions?count=maybe'))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: ['count'],
    });
  });

  test('counts no restricted session, and none of a restricted user', async () => {
    const restricted = (table: string) =>
      `UPDATE ${table} SET restricted_until = now() + make_interval(secs => $1::double precision)`;
    const counted = async () => {
      const { data, pagination, counts } = await sessions('?limit=100');
      expect(data).toHaveLength(pagination.total ?? -1);
      return [pagination.total, counts?.status.ended, counts?.phase.active];
    };
    await instance.write(`${restricted('sessions')} WHERE external_id IN ('s-00', 's-01', 's-40', 's-44')`, [60]);
    expect(await counted()).toEqual([41, 8, 33]);
    expect((await sessions('?search=repair&limit=1')).pagination.total).toBe(1);
    await instance.write(restricted('users'), [60]);
    expect(await counted()).toEqual([0, 0, 0]);
    await instance.write(restricted('users'), [-60]);
    await instance.write(restricted('sessions'), [-60]);
    expect(await counted()).toEqual([44, 10, 34]);
  });

  test('names the reason why a session is stuck', async () => {
    const id = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 's-30'");
    await instance.write(
      "INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason, state, error) VALUES ($1, 1, $2, 1, 1, 1, 'turn', 'parked', 'ModelRefused: no')",
      [id, instance.admin.tenantId],
    );
    const { data } = await sessions('?limit=100&status=active');
    expect(data.filter(({ stuck }) => stuck !== null)).toMatchObject([
      { external_id: 's-30', stuck: { reason: 'windows_parked', why: expect.stringContaining('ModelRefused') } },
    ]);
    expect((await instance.get('/sessions/s-30')).body).toMatchObject({ stuck: { reason: 'windows_parked' } });
  });

  test.each<[string, string, number]>([
    ['status', '?status=ended', 10],
    ['status', '?status=active', 34],
    ['phase', '?phase=settled', 10],
    ['project, by its remote', `?project=${encodeURIComponent('https://example.org/team/alpha')}`, 15],
    ['project, by its name', '?project=beta', 29],
    ['an unknown project', '?project=gamma', 0],
    ['words of the title, in any case', '?search=REPAIR', 2],
    ['a title with a wildcard character', `?search=${encodeURIComponent('100%')}`, 1],
    ['a title with an underscore', '?search=the_build', 1],
    ['several at once', '?status=ended&project=alpha&search=work', 4],
  ])('is filtered by %s: %s', async (_what, query, total) => {
    const { data, pagination } = await sessions(`${query}${query === '' ? '?' : '&'}limit=100`);
    expect([data.length, pagination.total]).toEqual([total, total]);
  });
});

describe('one session', () => {
  test("is found by its own id, by host and the host's id, and by the host's id alone", async () => {
    const id = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 's-20'");
    for (const given of [id ?? '', (id ?? '').toUpperCase(), 'claude-code:s-20', 'claude-code%3As-20', 's-20'])
      expect((await instance.get(`/sessions/${given}`)).body).toMatchObject({ id, external_id: 's-20' });
    for (const given of [
      'other:s-20',
      'claude-code:',
      ':s-20',
      'claude-code:s-2',
      '00000000-0000-7000-8000-000000000000',
      's-44',
      'claude-code:s-44',
    ])
      expect(errorOf(await instance.get(`/sessions/${given}`))).toEqual({ code: 'NOT_FOUND', fields: ['session'] });
  });

  test('may have a colon, a slash or other letters in the id of its host', async () => {
    for (const external of ['a:b', 'a/b', 'ü 漢', '100%', '?#']) {
      await instance.post('/events', promptEvent(external, 'hello'));
      expect((await instance.get(`/sessions/${encodeURIComponent(`test:${external}`)}`)).body).toMatchObject({
        host: 'test',
        external_id: external,
      });
    }
  });

  test('returns its counts and what is pending', async () => {
    expect((await instance.get('/sessions/claude-code:s-20')).body).toMatchObject({
      status: 'active',
      phase: 'active',
      namespace: 'default',
      last_error: null,
      waiting_reason: null,
      project: { name: 'beta', git_remote: 'example.org/team/beta' },
      counts: {
        prompts: 1,
        observations: 0,
        boundaries: 0,
        tokens: 2,
        summaries: 0,
        learnings: 0,
        windows_parked: 0,
        vectors_failed: 0,
      },
      pending: { summarise: 1, learn: 1, embed: 0 },
    });
  });

  test('that was written of has its summaries, one of another tenant has none', async () => {
    expect((await instance.get('/sessions/s-20/summaries')).body).toMatchObject({
      data: [],
      pagination: { total: 0, has_next: false, next_cursor: null },
    });
    expectError(await instance.get('/sessions/unknown/summaries'), 'NOT_FOUND');
  });
});
