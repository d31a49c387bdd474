import { describe, expect, test } from 'vitest';
import { fileInstance } from '../../../setup/file-instance.ts';
import { errorOf, writingNothing } from '../../../api/support/answers.ts';
import { payload, payloadNames } from './payloads.ts';
import type { MappedHost } from './payloads.ts';

const instance = fileInstance();

/** Ids of sessions: a UUID, opencode’s, and Cline’s, which is a time. */
const ID = /^(?:[0-9a-f-]{36}|ses_\w{26}|\d{13})$/;

const send = (host: string, event: string, body: unknown, query = '') =>
  instance.call('POST', `/hooks/${event}?host=${host}${query}`, { body });

/** What the client adds to a session's first event. */
const ADDED: Partial<Record<MappedHost, object>> = { windsurf: { root: '/src/orchard' } };

describe.each<MappedHost>(['codex-cli', 'cursor', 'gemini-cli', 'opencode', 'windsurf', 'cline'])(
  'every documented hook of %s',
  (host) => {
    test('is taken, and all of them are one session of one project', async () => {
      for (const name of payloadNames(host)) {
        const { event, body } = payload(host, name);
        const answer = await send(host, event, { ...ADDED[host], ...body });
        expect({ name, status: answer.status, body: answer.body }).toEqual({ name, status: 200, body: {} });
      }
      const sessions = await instance.rows<{ external_id: string; display_name: string }>(
        `SELECT s.external_id, p.display_name FROM sessions s JOIN projects p ON p.id = s.project_id WHERE s.host = $1`,
        [host],
      );
      expect(sessions).toEqual([{ external_id: expect.stringMatching(ID), display_name: 'orchard' }]);
      const files = await instance.rows<{ file: string }>(
        `SELECT DISTINCT unnest(o.files_modified) AS file FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = $1`,
        [host],
      );
      expect(files.map((row) => row.file)).toContain('/src/orchard/src/report.ts');
    });
  },
);

test('metadata of a row and of a session is stored', async () => {
  const { event, body } = payload('cursor', 'after-shell-execution');
  await send('cursor', event, { ...body, conversation_id: 'stored', sandbox: true, api_key: 'not-to-be-stored' });
  await send('cursor', 'sessionStart', { conversation_id: 'stored', composer_mode: 'ask' });
  expect(
    await instance.rows(
      `SELECT o.metadata AS row, s.metadata AS session FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'stored'`,
    ),
  ).toEqual([{ row: { sandbox: true, api_key: '[redacted:secret-field]' }, session: { mode: 'ask' } }]);
});

test('defaults to Claude Code without a host', async () => {
  await instance.call('POST', '/hooks/UserPromptSubmit', { body: { session_id: 'plain', prompt: 'hello' } });
  await send('claude-code', 'Stop', { session_id: 'plain', transcript_path: '/t.jsonl' });
  expect(await instance.rows(`SELECT host, metadata FROM sessions WHERE external_id = 'plain'`)).toEqual([
    { host: 'claude-code', metadata: { transcript_path: '/t.jsonl' } },
  ]);
});

test('a namespace is that of the session', async () => {
  await send('cursor', 'beforeSubmitPrompt', { conversation_id: 'spaced', prompt: 'hello' }, '&namespace=team-a');
  expect(await instance.rows(`SELECT namespace FROM sessions WHERE external_id = 'spaced'`)).toEqual([
    { namespace: 'team-a' },
  ]);
});

describe('a session start is answered with context', () => {
  const learn = `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, confidence, valid_from)
    SELECT gen_random_uuid(), s.tenant_id, s.project_id, s.user_id, s.id, s.host::bytea, 'general', 'Rows', 'Rows without a weight are skipped.', 0.9, now()
    FROM sessions s WHERE s.external_id = $1`;
  const known = expect.stringContaining('Rows without a weight are skipped.');

  test.each([
    [
      'codex-cli',
      'SessionStart',
      { cwd: '/src/context-codex', hook_event_name: 'SessionStart' },
      { hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext: known } },
    ],
    ['cursor', 'sessionStart', { workspace_roots: ['/src/context-cursor'] }, { additional_context: known }],
    [
      'gemini-cli',
      'SessionStart',
      { cwd: '/src/context-gemini' },
      { hookSpecificOutput: { hookEventName: 'SessionStart', additionalContext: known } },
    ],
    ['opencode', 'session_created', { cwd: '/src/context-opencode' }, { additional_context: known }],
    ['cline', 'TaskStart', { workspaceRoots: ['/src/context-cline'] }, { contextModification: known }],
  ])('in the form of %s', async (host, event, body, answer) => {
    await send(host, event, { ...body, session_id: `before-${host}` });
    await instance.write(learn, [`before-${host}`]);
    expect(await send(host, event, { ...body, session_id: `after-${host}` })).toMatchObject({
      status: 200,
      body: answer,
    });
    expect((await send(host, 'stop', { ...body, session_id: `after-${host}` })).body).toEqual({});
  });
});

describe('rejected requests', () => {
  test.each([
    ['an unknown host', '?host=notepad', { session_id: 's' }, ['host']],
    ['two hosts', '?host=cursor&host=codex-cli', { session_id: 's' }, ['host']],
    ['a namespace that is too long', `?namespace=${'x'.repeat(129)}`, { session_id: 's' }, ['namespace']],
    ['a Cursor hook without any id', '?host=cursor', { prompt: 'x' }, ['session_id']],
    ['an id that is a number', '?host=cursor', { conversation_id: 7 }, ['session_id']],
    ['an id that is too long', '?host=codex-cli', { 'thread-id': 'x'.repeat(257) }, ['session_id']],
    ['a body that is a list', '?host=cursor', [1], ['']],
    ['a body that is null', '?host=cursor', null, ['']],
  ])('%s is answered with its field', async (_what, query, body, fields) => {
    const answer = await writingNothing(instance, () =>
      instance.call('POST', `/hooks/stop${query}`, { raw: JSON.stringify(body) }),
    );
    expect(errorOf(answer)).toEqual({ code: 'VALIDATION_FAILED', fields });
  });
});
