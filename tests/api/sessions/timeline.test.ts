import { beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { timelineAnswer } from '../../../contract/search.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { errorOf, expectError, bodyOf } from '../support/answers.ts';
import { memoryOf, remembered } from '../support/memories.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance();
let colleague: TestUser;
let stranger: TestUser;

/** A prompt of a session; minutes after noon. */
function promptOf(session: string, minute: number, content: string, more: Readonly<Record<string, unknown>> = {}) {
  const occurred = new Date(Date.UTC(2025, 4, 2, 12, minute)).toISOString();
  return promptEvent(session, content, {
    project: { name: 'line' },
    occurred_at: occurred,
    key: `${session} ${content}`,
    ...more,
  });
}

const idOf = async (content: string) =>
  await instance.text('SELECT id AS value FROM prompts WHERE content = $1', [content]);

const timeline = async (query: string, key = instance.admin.key) =>
  bodyOf(timelineAnswer, await instance.get(`/timeline?${query}`, key));

/** Returns the texts of the timeline, line by line. */
const texts = ({ data }: z.output<typeof timelineAnswer>) =>
  data.map((memory) => ('content' in memory ? memory.content : memory.preview));

beforeAll(async () => {
  colleague = await instance.user();
  stranger = await instance.stranger({ role: 'admin' });
  await captured(instance, [
    promptOf('first', 0, 'one'),
    promptOf('first', 1, 'two'),
    // Sent late: it is read where it happened.
    promptOf('first', 6, 'four'),
    promptOf('first', 4, 'three'),
    promptOf('first', 8, 'five'),
    promptOf('second', 2, 'beside'),
    promptOf('second', 20, 'later'),
    promptOf('elsewhere', 3, 'other project', { project: { name: 'other' } }),
  ]);
  await captured(instance, [promptOf('private', 5, 'of a colleague')], colleague.key);
  await captured(instance, [
    { ...promptOf('first', 7, ''), type: 'observation', content: undefined, text: 'an observation', key: 'seen' },
  ]);
});

describe('the timeline of a session', () => {
  test('is what came before and after the anchor, in reading order', async () => {
    const anchor = await idOf('three');
    const complete = await timeline(`anchor=${anchor}`);
    expect(texts(complete)).toEqual(['one', 'two', 'three', 'four', 'an observation', 'five']);
    expect(complete).toMatchObject({ anchor: { id: anchor }, has_before: false, has_after: false });
    const near = await timeline(`anchor=${anchor}&before=1&after=1`);
    expect(texts(near)).toEqual(['two', 'three', 'four']);
    expect(near).toMatchObject({ has_before: true, has_after: true });
    const alone = await timeline(`anchor=${anchor}&before=0&after=0`);
    expect([texts(alone), alone.has_before, alone.has_after]).toEqual([['three'], true, true]);
    const edge = await timeline(`anchor=${anchor}&before=2&after=3`);
    expect([edge.has_before, edge.has_after]).toEqual([false, false]);
  });

  test('contains the requested types', async () => {
    const anchor = await idOf('three');
    expect(texts(await timeline(`anchor=${anchor}&types=observation,summary`))).toEqual(['three', 'an observation']);
    expect(texts(await timeline(`anchor=${anchor}&types=learning`))).toEqual(['three']);
  });

  test('contains learnings and summaries of the session at their time', async () => {
    const { tenantId, userId } = instance.admin;
    await instance.write(
      `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at, tags, files_read, files_modified)
       SELECT uuidv7(), $1, p.session_id, s.project_id, $2, 'topic:1', 'topic', 'Topic', 'a summary', 'local', 0, 0, 0, 1, p.seq, p.occurred_at, '{}', '{}', '{}'
         FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE p.content = 'three'`,
      [tenantId, userId],
    );
    const anchor = await idOf('three');
    expect(texts(await timeline(`anchor=${anchor}&before=0&after=2`))).toEqual(['three', 'a summary', 'four']);
    await instance.write("DELETE FROM summaries WHERE content = 'a summary'");
  });

  test('shows nothing of other users and other tenants', async () => {
    const anchor = await idOf('three');
    const refused = async (key: string) => errorOf(await instance.get(`/timeline?anchor=${anchor}`, key)).code;
    expect(await refused(colleague.key)).toBe('NOT_FOUND');
    expect(await refused(stranger.key)).toBe('NOT_FOUND');
  });
});

describe('the timeline of a project', () => {
  test('goes through all its sessions', async () => {
    const anchor = await idOf('three');
    const near = await timeline(`anchor=${anchor}&project=line&before=2&after=2`);
    expect(texts(near)).toEqual(['two', 'beside', 'three', 'of a colleague', 'four']);
    expect(near).toMatchObject({ has_before: true, has_after: true });
    const complete = await timeline(`anchor=${anchor}&project=line&before=50&after=50`);
    expect(texts(complete)).toEqual([
      'one',
      'two',
      'beside',
      'three',
      'of a colleague',
      'four',
      'an observation',
      'five',
      'later',
    ]);
    expect(texts(await timeline(`anchor=${anchor}&project=unknown`))).toEqual(['three']);
  });

  test('finds its anchor when many sessions came after it', async () => {
    const anchor = await idOf('three');
    await instance.write(`INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, started_at, last_event_at)
       SELECT uuidv7(interval '1 hour'), tenant_id, user_id, project_id, 'test', 'later-' || n, now(), now()
         FROM sessions CROSS JOIN generate_series(1, 400) AS n WHERE external_id = 'first'`);
    try {
      const near = await timeline(`anchor=${anchor}&project=line&before=2&after=2`);
      expect(texts(near)).toEqual(['two', 'beside', 'three', 'of a colleague', 'four']);
    } finally {
      await instance.write("DELETE FROM sessions WHERE external_id LIKE 'later-%'");
    }
  });

  test('of a remembered text is that of its project, with the own rows of each viewer', async () => {
    const hash = await remembered(instance, 'by hand', { project: 'line', occurred_at: '2025-05-02T12:05:30Z' });
    expect(texts(await timeline(`anchor=${hash}&before=2&after=1`))).toEqual([
      'three',
      'of a colleague',
      'by hand',
      'four',
    ]);
    expect(texts(await timeline(`anchor=${hash}`, colleague.key))).toEqual(['of a colleague', 'by hand']);
    expectError(await instance.get(`/timeline?anchor=${hash}`, stranger.key), 'NOT_FOUND');
  });
});

test('the line of a project is that of one namespace', async () => {
  const at = (second: number) => ({ project: 'line', occurred_at: `2025-05-02T12:04:${second}Z` });
  await captured(instance, [promptOf('sandboxed', 4, 'in a sandbox', { namespace: 'sandbox' })]);
  const anchor = await remembered(instance, 'sandbox note', { ...at(10), namespace: 'sandbox' });
  await instance.write(`INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at, tags, files_read, files_modified)
     SELECT uuidv7(), s.tenant_id, s.id, s.project_id, s.user_id, 'topic:9', 'topic', '', 'summary of ' || s.external_id, 'local', 0, 0, 0, 1, 1, '2025-05-02T12:04:20Z', '{}', '{}', '{}'
       FROM sessions s WHERE s.external_id IN ('first', 'sandboxed')`);
  const sandbox = ['in a sandbox', 'sandbox note', 'summary of sandboxed'];
  try {
    expect(texts(await timeline(`anchor=${anchor}`))).toEqual(sandbox);
    expect(texts(await timeline(`anchor=${anchor}&project=line`))).toEqual(sandbox);
    expect(texts(await timeline(`anchor=${anchor}&project=line&namespace=default&before=1&after=1`))).toEqual([
      'three',
      'sandbox note',
      'summary of first',
    ]);
    const around = await timeline(`anchor=${await idOf('three')}&project=line&before=0&after=1`);
    expect(texts(around)).toEqual(['three', 'summary of first']);
  } finally {
    await instance.write("DELETE FROM summaries WHERE slot = 'topic:9'");
  }
});

test('texts without a project are read together', async () => {
  const at = (minute: number) => ({ namespace: 'notes', occurred_at: `2025-05-03T12:0${minute}:00Z` });
  await remembered(instance, 'note one', at(1));
  const hash = await remembered(instance, 'note two', at(2));
  await remembered(instance, 'note three', at(3));
  await remembered(instance, 'note elsewhere', { namespace: 'elsewhere', occurred_at: at(2).occurred_at });
  expect(texts(await timeline(`anchor=${hash}`))).toEqual(['note one', 'note two', 'note three']);
});

test('the compact timeline has short memories alone', async () => {
  const anchor = await idOf('three');
  const answer = await timeline(`anchor=${anchor}&before=1&after=0&format=compact`);
  const { hash } = await memoryOf(instance, anchor);
  expect(answer.anchor).toEqual({ hash, preview: 'three', tags: [], created: '2025-05-02' });
  expect(answer.data.map((memory) => memory.preview)).toEqual(['two', 'three']);
});

describe('the best hit of a question', () => {
  test('is the anchor, and null where nothing is found', async () => {
    expect(await timeline('q=zebra&project=unknown')).toEqual({
      anchor: null,
      data: [],
      has_before: false,
      has_after: false,
    });
    await remembered(instance, 'The zebra crossing is painted twice', { namespace: 'roads' });
    // Read as a search is, it is found before it has vectors, and by phrases and fields.
    const waiting = await timeline(`q=${encodeURIComponent('"ZEBRA crossing" type:learning')}&namespace=roads`);
    expect(texts(waiting)).toEqual(['The zebra crossing is painted twice']);
    expect((await timeline(`q=${encodeURIComponent('"crossing zebra" type:learning')}`)).anchor).toBeNull();
    expect((await timeline('q=zebra+crossing&namespace=rails')).anchor).toBeNull();
    const stop = await instance.startWorker();
    try {
      const answer = await timelineOnce('q=zebra+crossing');
      expect(texts(answer)).toEqual(['The zebra crossing is painted twice']);
    } finally {
      await stop();
    }
  });

  /** The timeline as soon as the search finds its anchor. */
  async function timelineOnce(query: string) {
    return until(
      async () => {
        const answer = await timeline(query);
        return answer.anchor === null ? undefined : answer;
      },
      undefined,
      'the anchor',
    );
  }
});
