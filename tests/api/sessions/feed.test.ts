import { beforeAll, describe, expect, test } from 'vitest';
import { densityAnswer, feedAnswer } from '../../../contract/feed.ts';
import { newId } from '../../../domain/ids.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { bodyOf, expectError } from '../support/answers.ts';

const instance = fileInstance();
let owner: TestUser;
let session: string;
const DAY = '2026-03-01';

const feed = async (query = '', key = owner.key) => bodyOf(feedAnswer, await instance.get(`/feed?${query}`, key));
const density = async (query: string, key = owner.key) =>
  bodyOf(densityAnswer, await instance.get(`/feed/density?${query}`, key));
type Page = Awaited<ReturnType<typeof feed>>;
const kinds = ({ data }: Page) => data.map(({ type, kind }) => `${type}/${kind}`);

beforeAll(async () => {
  owner = await instance.user();
  const at = (minute: number) => `${DAY}T10:${String(minute).padStart(2, '0')}:00Z`;
  const base = { host: 'test', session_id: 'fed', project: { name: 'harbour' } };
  const events = [
    { ...base, type: 'prompt', content: 'Find <mark>the</mark> fault', occurred_at: at(1) },
    { ...base, type: 'observation', tool: { name: 'Bash', input: { command: 'ls' }, error: 'no' }, occurred_at: at(2) },
    ...Array.from({ length: 20 }, (_, n) => ({
      ...base,
      type: 'observation',
      text: `Note ${n}`,
      occurred_at: at(10 + n),
    })),
  ];
  await instance.post('/events/batch', events, owner.key);
  session = (await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 'fed'")) ?? '';
  await instance.write('UPDATE sessions SET title = $2, started_at = $3, ended_at = $4 WHERE id = $1', [
    session,
    'The title',
    at(0),
    at(50),
  ]);
  await instance.write(
    `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     SELECT $1, tenant_id, id, project_id, user_id, 'session', 'session', 'A summary', 'What was done', 'local', 1, 1, 0, 1, 2, $3 FROM sessions WHERE id = $2`,
    [newId(), session, at(51)],
  );
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, tags, confidence, valid_from, visibility)
     SELECT $1, tenant_id, project_id, user_id, id, sha256('f'), 'solution', 'A learning', 'What is known', '{}', 0.9, $3, 'private' FROM sessions WHERE id = $2`,
    [newId(), session, at(52)],
  );
  await instance.post('/events', { type: 'prompt', host: 'test', session_id: 'other', content: 'Of an admin' });
});

describe('the feed', () => {
  test('has every kind, newest first, with what a row shows', async () => {
    const page = await feed(`project=harbour&limit=100`);
    expect(kinds(page)).toEqual([
      'learning/solution',
      'summary/session',
      'session/ended',
      ...Array.from({ length: 20 }, () => 'observation/info'),
      'observation/error',
      'prompt/user',
      'session/started',
    ]);
    const prompt = page.data.find(({ type }) => type === 'prompt');
    expect(prompt).toEqual({
      id: expect.any(String),
      type: 'prompt',
      kind: 'user',
      title: '',
      preview: 'Find <mark>the</mark> fault',
      tool: null,
      level: 'info',
      session: { id: session, title: 'The title' },
      project: { id: expect.any(String), name: 'harbour' },
      occurred_at: `${DAY}T10:01:00.000Z`,
    });
    expect(page.data.find(({ kind }) => kind === 'error')).toMatchObject({ tool: 'Bash', level: 'error' });
    expect(page).toMatchObject({ older: null, has_newer: false });
    expect(kinds(await feed(`session=${session}&limit=100`))).toEqual(kinds(page));
  });

  test.each([
    ['', 26],
    ['&type=prompt,summary', 2],
    ['&type=observation', 21],
    [`&since=${DAY}T10:01:00Z&until=${DAY}T10:03:00Z`, 2],
    [`&since=${DAY}T10:51:00Z`, 2],
    ['&session=unknown', 0],
  ])('continues to both sides without a gap: %s', async (filter, count) => {
    const query = `project=harbour&limit=4${filter}`;
    const seen: Page['data'] = [];
    let page = await feed(query);
    for (;;) {
      seen.push(...page.data);
      if (page.older === null) break;
      page = await feed(`${query}&cursor=${page.older}`);
    }
    expect(seen.map(({ id, kind }) => `${id} ${kind}`)).toEqual(
      (await feed(`project=harbour&limit=100${filter}`)).data.map(({ id, kind }) => `${id} ${kind}`),
    );
    expect(seen).toHaveLength(count);
    const back: Page['data'] = [...page.data];
    while (page.newer !== null) {
      page = await feed(`${query}&cursor=${page.newer}`);
      back.unshift(...page.data);
      if (!page.has_newer) break;
    }
    expect(back).toEqual(seen);
  });

  test('leads to what was captured later', async () => {
    const { newer } = await feed('type=prompt&limit=1');
    expect((await feed(`cursor=${newer}&type=prompt`)).data).toEqual([]);
    await instance.post('/events', { type: 'prompt', host: 'test', session_id: 'late', content: 'Later' }, owner.key);
    const page = await feed(`cursor=${newer}&type=prompt`);
    expect(page.data).toMatchObject([{ preview: 'Later' }]);
    expect((await feed(`cursor=${page.older}&type=prompt&limit=1`)).data).toMatchObject([{ type: 'prompt' }]);
  });

  test('shows private rows to their user and admins alone', async () => {
    const types = async (key: string) =>
      new Set((await feed('limit=100&project=harbour', key)).data.map(({ type }) => type));
    const colleague = await instance.user();
    expect(await types(colleague.key)).toEqual(new Set(['session', 'summary']));
    expect((await types(instance.admin.key)).size).toBe(5);
    const stranger = await instance.stranger({ role: 'admin' });
    expect((await feed('limit=100', stranger.key)).data).toEqual([]);
    expect((await density(`since=${DAY}T00:00:00Z&until=${DAY}T23:00:00Z`, colleague.key)).data).toMatchObject([
      { counts: { prompt: 0, observation: 0, learning: 0, session: 2, summary: 1 } },
    ]);
  });
});

describe('the density', () => {
  test('counts the items of the feed by buckets from the start of the range', async () => {
    const range = `project=harbour&since=${DAY}T09:30:00Z&until=${DAY}T11:30:00Z`;
    const counts = { session: 2, prompt: 1, observation: 21, summary: 1, learning: 1 };
    expect(await density(`${range}&bucket=day`)).toEqual({
      since: `${DAY}T09:30:00.000Z`,
      until: `${DAY}T11:30:00.000Z`,
      bucket_seconds: 86_400,
      data: [{ at: `${DAY}T09:30:00.000Z`, total: 26, capped: false, counts }],
    });
    const hours = await density(`${range}&bucket=hour`);
    expect(hours.data.map(({ at, total }) => [at, total])).toEqual([
      [`${DAY}T09:30:00.000Z`, 23],
      [`${DAY}T10:30:00.000Z`, 3],
    ]);
    expect(await density(`${range}&bucket=24&type=prompt`)).toMatchObject({
      bucket_seconds: 300,
      data: [{ at: `${DAY}T10:00:00.000Z`, total: 1 }],
    });
    expect((await density(`session=${session}&since=${DAY}T00:00:00Z`)).data).toMatchObject([{ total: 26 }]);
  });

  test('counts up to a limit', async () => {
    const many = 250;
    await instance.write(
      `INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, occurred_at)
       SELECT uuidv7(), tenant_id, id, user_id, 1000 + n, 'user', 'again', sha256('c'), 1, '2026-04-01T00:00:00Z'
         FROM sessions, generate_series(1, ${many}) AS n WHERE id = $1`,
      [session],
    );
    const range = 'type=prompt&since=2026-04-01T00:00:00Z&until=2026-04-02T00:00:00Z';
    expect((await density(`${range}&bucket=10`)).data).toMatchObject([{ total: many, capped: false }]);
    expect((await density(`${range}&bucket=1000`)).data).toMatchObject([{ total: 200, capped: true }]);
  });

  test('has a limited number of buckets, and none of an unknown project', async () => {
    expectError(
      await instance.get('/feed/density?bucket=hour&since=2020-01-01T00:00:00Z', owner.key),
      'VALIDATION_FAILED',
    );
    expect((await density('project=unknown')).data).toEqual([]);
    expect((await density('bucket=1000&since=0001-01-01T00:00:00Z')).data.length).toBeGreaterThan(0);
  });
});
