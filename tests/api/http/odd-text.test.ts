import { describe, expect, test } from 'vitest';
import { searchAnswer } from '../../../contract/search.ts';
import type { CallOptions } from '../../setup/instance.ts';
import { indexed } from '../support/indexed.ts';
import { fileInstance } from '../../setup/file-instance.ts';

/** NUL, a leading half of a surrogate pair, a trailing half, and a complete pair. */
const ODD = String.raw`a\u0000b\ude00c\ud83d`;
const REPAIRED = 'a\uFFFDb\uFFFDc\uFFFD';
const instance = fileInstance();

const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
  await instance.rows<Record<string, unknown>>(sql);

/** Sends JSON with every `ODD` written as escapes, which no well-formed string could carry; fails when it is not taken. */
async function sendOdd(path: string, body: object): Promise<number> {
  const options: CallOptions = { raw: JSON.stringify(body).replaceAll('ODD', () => ODD) };
  const answer = await instance.call('POST', path, options);
  if (answer.status >= 300) throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.status;
}

describe('text that PostgreSQL cannot store is made well-formed in every field', () => {
  test('in every field of a hook', async () => {
    const common = { session_id: 'hook-ODD', cwd: '/src/ODD', agent_id: 'ODD', agent_type: 'ODD' };
    await sendOdd('/hooks/SessionStart', {
      ...common,
      source: 'ODD',
      model: 'ODD',
      git_remote: 'git@example.org:ODD/app.git',
      machine_id: 'ODD',
    });
    await sendOdd('/hooks/UserPromptSubmit', { ...common, prompt: 'ODD' });
    await sendOdd('/hooks/PostToolUse', {
      ...common,
      tool_name: 'ODD',
      tool_input: { ODD: ['ODD'] },
      tool_response: { stdout: 'ODD' },
      tool_use_id: 'ODD',
    });
    await sendOdd('/hooks/Unknown', { ...common, ODD: 'ODD', event_id: 'ODD' });
    expect(await rows(`SELECT model, metadata FROM sessions WHERE external_id = 'hook-${REPAIRED}'`)).toEqual([
      { model: REPAIRED, metadata: { source: REPAIRED } },
    ]);
    expect(await rows('SELECT content FROM prompts')).toEqual([{ content: REPAIRED }]);
    expect(
      await rows('SELECT tool, title, content, input, agent_id, agent_type, key FROM observations ORDER BY seq'),
    ).toEqual([
      {
        tool: REPAIRED,
        title: REPAIRED,
        content: `{"${REPAIRED}":["${REPAIRED}"]}\n\n${REPAIRED}`,
        input: { [REPAIRED]: [REPAIRED] },
        agent_id: REPAIRED,
        agent_type: REPAIRED,
        key: `tool:${REPAIRED}`,
      },
      {
        tool: null,
        title: 'Unknown',
        content: JSON.stringify({ [REPAIRED]: REPAIRED }),
        input: null,
        agent_id: REPAIRED,
        agent_type: REPAIRED,
        key: REPAIRED,
      },
    ]);
  });

  test('in every field of an event', async () => {
    const common = {
      session_id: 'event-ODD',
      namespace: 'ODD',
      project: { path: '/ODD', name: 'ODD', machine_id: 'ODD' },
      agent: { id: 'ODD', type: 'ODD' },
    };
    await sendOdd('/events', { ...common, type: 'observation', text: 'ODD', tags: ['ODD', 'fine'], key: 'ODD' });
    await sendOdd('/events', {
      ...common,
      type: 'observation',
      tool: { name: 'ODD', input: 'ODD', response: ['ODD'], error: 'ODD', use_id: 'use-ODD' },
    });
    await sendOdd('/events', { ...common, type: 'boundary', reason: 'ODD' });
    await sendOdd('/events', { ...common, type: 'session.started', model: 'ODD' });
    expect(
      await rows(
        `SELECT s.namespace, s.model, p.display_name FROM sessions s JOIN projects p ON p.id = s.project_id WHERE external_id = 'event-${REPAIRED}'`,
      ),
    ).toEqual([{ namespace: REPAIRED, model: REPAIRED, display_name: REPAIRED }]);
    expect(
      await rows(
        `SELECT o.content, o.tool, o.tags, o.agent_id FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'event-${REPAIRED}' ORDER BY o.seq`,
      ),
    ).toEqual([
      { content: REPAIRED, tool: null, tags: [REPAIRED, 'fine'], agent_id: REPAIRED },
      { content: `${REPAIRED}\n\n${REPAIRED}\n${REPAIRED}`, tool: REPAIRED, tags: [], agent_id: REPAIRED },
    ]);
    expect(await rows("SELECT reason, agent_type FROM boundaries WHERE kind = 'other'")).toEqual([
      { reason: REPAIRED, agent_type: REPAIRED },
    ]);
  });

  test('and is accepted in the body of a query', async () => {
    const query = { q: 'ODD', namespace: 'ODD', tool: 'ODD', kind: 'ODD', tags: ['ODD'] };
    expect(await sendOdd('/search/semantic', query)).toBe(200);
    expect(await sendOdd('/search/semantic', { q: 'ODD', project: 'ODD' })).toBe(200);
  });

  test('and is found by the same odd name', async () => {
    const odd = encodeURIComponent('generic:event-a\u0000b') + '%EF%BF%BDc%EF%BF%BD';
    expect(await instance.get(`/sessions/${odd}`)).toMatchObject({ status: 200, body: { namespace: REPAIRED } });
  });
});

describe('a NUL in an address or a query is the fault of the caller', () => {
  test.each(['/sessions/%00', '/sessions/%00/summaries', '/sessions/a%00:b'])('%s is not there', async (path) => {
    expect(await instance.get(path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  test.each([
    '/sessions?search=%00',
    '/sessions?project=%00',
    '/learnings?tag=%00',
    '/learnings?session=%00',
    '/learnings?project=%00',
    '/search?q=zebra%00',
    '/search?q=zebra&project=%00',
    '/search?q=zebra&tags=a%00',
    '/search?q=zebra&tool=%00',
    '/search?q=zebra&kind=%00',
    '/search?q=zebra&namespace=%00',
  ])('%s is answered', async (path) => {
    expect(await instance.get(path)).toMatchObject({ status: 200, body: { data: [] } });
  });

  test.each([
    { purpose: 'session_start', project: 'ODD', namespace: 'ODD', session_id: 'ODD' },
    { purpose: 'prompt', prompt: 'ODD', project: 'ODD' },
    { purpose: 'file', file: '/src/ODD' },
  ])('context for $purpose', async (body) => {
    expect(await sendOdd('/context', body)).toBe(200);
  });
});

describe('names that objects have of themselves', () => {
  const POLLUTION =
    '{"__proto__": {"polluted": "yes", "type": "prompt"}, "constructor": {"prototype": {"polluted": "yes"}}, "prototype": 1, "toString": "x"';

  test('are plain data: stored as values, and on no other object', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype).toSorted();
    const call = `{"type": "observation", "session_id": "proto", "tool": {"name": "Odd", "input": ${POLLUTION}}}}`;
    expect((await instance.call('POST', '/events', { raw: call })).status).toBe(202);
    expect((await instance.call('POST', '/hooks/Odd', { raw: `${POLLUTION}, "session_id": "proto"}` })).status).toBe(
      200,
    );
    expect(
      (await instance.call('POST', '/context', { raw: `${POLLUTION}, "purpose": "prompt", "prompt": "x"}` })).status,
    ).toBe(422);
    expect((await instance.call('POST', '/events', { raw: `${POLLUTION}}` })).body).toMatchObject({
      code: 'UNKNOWN_EVENT_TYPE',
    });
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(before);
    expect('polluted' in {}).toBe(false);
    expect(
      await rows(
        "SELECT input ->> 'toString' AS text, input ? '__proto__' AS own FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'proto' AND o.tool = 'Odd'",
      ),
    ).toEqual([{ text: 'x', own: true }]);
  });

  test('may be tags, tools, projects and namespaces, and are counted like others', async () => {
    const names = ['constructor', '__proto__', 'toString'];
    for (const name of names) {
      const body = {
        type: 'observation',
        session_id: 'tags',
        namespace: name,
        project: { name },
        tool: { name, response: 'A zebra eats in the stable' },
        tags: names,
        key: name,
      };
      expect((await instance.post('/events', body)).status).toBe(202);
    }
    await instance.startWorker();
    await indexed(instance);
    const answer = await instance.get('/search?q=zebra&tags=constructor&tool=toString');
    expect(answer.status).toBe(200);
    const { data, facets } = searchAnswer.parse(answer.body);
    expect(data.length).toBe(1);
    expect(facets).toMatchObject({ tool: { toString: 1 }, tag: { constructor: 1, toString: 1 } });
    expect((await instance.get('/search?q=zebra')).body).toMatchObject({
      facets: { tag: { constructor: 3, toString: 3 } },
    });
  });
});
