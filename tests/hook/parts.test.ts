import { userInfo } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../../hook/answer-reader.ts';
import type { Answer } from '../../hook/answer-reader.ts';
import { parseArguments } from '../../hook/arguments.ts';
import { folderOf, sessionOf, withFields } from '../../hook/body.ts';
import { newDeliveryId } from '../../hook/request.ts';
import { hookDataDirectory, hookEnvironment } from '../../hook/environment.ts';
import { hostAnswer } from '../../hook/main.ts';
import { bringsContext, isCaptured } from '../../hook/hosts.ts';
import { shortHash } from '../../hook/target.ts';
import { hookCommandLine } from '../../hook/command-line.ts';

describe('the response of a server', () => {
  /** Fed in pieces of every size, so that no border of a piece matters. */
  const readAs = (text: string, pieceBytes: number, headOnly = false): Answer | null => {
    const reader = new AnswerReader(headOnly);
    const bytes = Buffer.from(text, 'utf8');
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const answer = reader.push(bytes.subarray(at, at + pieceBytes));
      if (answer !== null) return answer;
    }
    return reader.end();
  };
  const read = (text: string, headOnly = false): Answer | null => {
    const all = [1, 2, 3, 7, 100_000].map((size) => readAs(text, size, headOnly));
    for (const answer of all) expect(answer).toEqual(all[0]);
    return all[0] ?? null;
  };

  const API_HEADER = 'X-API-Version: 1\r\n';

  it('has a length', () => {
    const body = { status: 200, isApi: true, body: 'häll' };
    expect(read(`HTTP/1.1 200 OK\r\n${API_HEADER}Content-Length: 5\r\n\r\nhällo`)).toEqual(body);
    const none = { status: 404, isApi: true, body: '' };
    expect(read(`HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n${API_HEADER}\r\n`)).toEqual(none);
  });

  it('may be chunked', () => {
    const chunks = '4\r\nhäl\r\n5;name=x\r\nlo\r\n!\r\n0\r\n\r\n';
    expect(read(`HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n${API_HEADER}\r\n${chunks}`)).toEqual({
      status: 200,
      isApi: true,
      body: 'hällo\r\n!',
    });
  });

  it('ends with the connection', () => {
    expect(read(`HTTP/1.0 200 OK\r\n${API_HEADER}\r\n{"a":1}`)).toEqual({ status: 200, isApi: true, body: '{"a":1}' });
  });

  it('may follow an interim one', () => {
    expect(
      read(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nL: x\r\n\r\nHTTP/1.1 204 No Content\r\n${API_HEADER}\r\n`,
      ),
    ).toEqual({
      status: 204,
      isApi: true,
      body: '',
    });
  });

  it('is its head alone where that is enough', () => {
    const busy = `HTTP/1.1 503 Busy\r\n${API_HEADER}Content-Length: 1000\r\n\r\n`;
    expect(read(busy, true)).toEqual({ status: 503, isApi: true, body: '' });
  });

  it('is read to its end if it states why an event is rejected', () => {
    const refused = `HTTP/1.1 422 No\r\n${API_HEADER}Content-Length: 4\r\n\r\nwhy!`;
    expect(read(refused, true)).toEqual({ status: 422, isApi: true, body: 'why!' });
  });

  it.each(['', 'X-API-Version:\r\n', 'X-API-Version: next\r\n', 'X-Other: 1\r\n'])(
    'is not the api’s with the header %j, and its body is not awaited',
    (header) => {
      const foreign = `HTTP/1.1 200 OK\r\n${header}Content-Length: 1000\r\n\r\n`;
      expect(read(foreign)).toEqual({ status: 200, isApi: false, body: '' });
    },
  );

  it('is null at an unexpected end', () => {
    expect(read(`HTTP/1.1 200 OK\r\n${API_HEADER}Content-Length: 5\r\n\r\nhal`)).toBeNull();
    expect(read(`HTTP/1.1 200 OK\r\n${API_HEADER}Transfer-Encoding: chunked\r\n\r\n5\r\nhal`)).toBeNull();
    expect(read('HTTP/1.1 200 OK\r\nConte')).toBeNull();
  });

  it.each([
    'SSH-2.0\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n',
    `HTTP/1.1 200 OK\r\n${API_HEADER}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  ])('throws for %j', (text) => {
    expect(() => readAs(text, 100_000)).toThrow(Error);
  });

  it('throws when it has no end', () => {
    expect(() => readAs('x'.repeat(70_000), 1_000)).toThrow('head');
    expect(() => readAs(`HTTP/1.1 200 OK\r\n${API_HEADER}\r\n${'x'.repeat(1_100_000)}`, 100_000)).toThrow('too long');
  });
});

describe('the body', () => {
  const text = (input: string | Buffer, fields: Record<string, string> = { t: '1' }) =>
    withFields(Buffer.from(input), fields)
      ?.map((part) => part.toString('utf8'))
      .join('');

  it('gets fields in front; its own ones win', () => {
    expect(text('{"a":1}')).toBe('{"t":"1","a":1}');
    expect(text(' \n{ "a":1}')).toBe('{"t":"1","a":1}');
    expect(JSON.parse(text('{"t":"own"}') ?? '')).toEqual({ t: 'own' });
    expect(text('{}')).toBe('{"t":"1"}');
    expect(text('{ } ')).toBe('{"t":"1"} ');
    expect(text('{"a":1}', {})).toBe('{"a":1}');
    expect(text(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"a":1}')]))).toBe('{"t":"1","a":1}');
  });

  it.each(['', '   ', '[]', '"x"', 'null', '7'])('of %j is undefined', (input) => {
    expect(text(input)).toBeUndefined();
  });

  it('names its session and its folder in the terms of any host', () => {
    expect(sessionOf({ session_id: 'a', conversation_id: 'b' })).toBe('a');
    expect(sessionOf({ conversation_id: 'b' })).toBe('b');
    expect(sessionOf({ 'thread-id': 'c' })).toBe('c');
    expect(sessionOf({ trajectory_id: 'd' })).toBe('d');
    expect(sessionOf({ taskId: 'e' })).toBe('e');
    for (const none of [null, {}, { session_id: 7 }, { session_id: '' }, { session_id: 'x'.repeat(257) }])
      expect(sessionOf(none)).toBeNull();
    expect(folderOf({ cwd: '/a' })).toBe('/a');
    expect(folderOf({ workspace_roots: ['/b', '/c'] })).toBe('/b');
    expect(folderOf({ workspaceRoots: ['/d'] })).toBe('/d');
    expect(folderOf({ workspacePath: '/e' })).toBe('/e');
    for (const none of [null, {}, { cwd: '' }, { workspace_roots: [] }, { workspace_roots: 'x' }])
      expect(folderOf(none)).toBe(process.cwd());
    expect(folderOf({ cwd: 'sub' })).toBe(path.resolve('sub'));
    expect(folderOf({ cwd: `/${'x'.repeat(4_096)}` })).toBeNull();
  });
});

describe('the command line', () => {
  it('is an event, a host and a folder, in any order', () => {
    const all = { event: 'Stop', host: 'cursor', namespace: 'default', dataDir: '/d', isPlugin: false };
    expect(parseArguments(['Stop', '--host', 'cursor', '--data-dir', '/d'])).toEqual(all);
    expect(parseArguments(['--data-dir=/d', '--host=cursor', 'Stop', 'more', '--unknown'])).toEqual(all);
    expect(parseArguments(['Stop'])).toEqual({
      event: 'Stop',
      host: 'claude-code',
      namespace: 'default',
      dataDir: null,
      isPlugin: false,
    });
    expect(parseArguments(['Stop', '--host', 'a b', '--data-dir'])).toEqual({
      event: 'Stop',
      host: 'claude-code',
      namespace: 'default',
      dataDir: null,
      isPlugin: false,
    });
    expect(parseArguments(['Stop', '--namespace', 'team a'])?.namespace).toBe('team a');
    expect(parseArguments(['Stop', '--namespace='])?.namespace).toBe('default');
  });

  it.each([[[]], [['--host', 'x']], [['../x']], [['a/b']], [['x'.repeat(65)]]])('%j names no event', (words) => {
    expect(parseArguments(words)).toBeNull();
  });

  it('has absolute paths, quoted for a shell', () => {
    expect(hookCommandLine('Stop')).toMatch(/^\/\S+ \/\S+\/hook\/built\/client\.cjs Stop$/);
    expect(hookCommandLine('Stop', { dataDir: "/it's here/$x", host: 'codex-cli' })).toMatch(
      / Stop --host codex-cli --data-dir '\/it'\\''s here\/\$x'$/,
    );
  });
});

describe('the environment', () => {
  it('sets both the address and the key, or neither', () => {
    expect(hookEnvironment({ RECOLLECT_URL: 'u', RECOLLECT_API_KEY: 'k' }).server).toEqual({ url: 'u', apiKey: 'k' });
    expect(hookEnvironment({ RECOLLECT_URL: 'u' }).server).toBeNull();
    expect(hookEnvironment({ RECOLLECT_API_KEY: 'k' }).server).toBeNull();
  });

  it.each([
    [undefined, 67_108_864],
    ['', 67_108_864],
    ['0', 0],
    ['1000', 1_000],
    ['-1', 67_108_864],
    ['lots', 67_108_864],
  ])('bounds the spool by %j: %i bytes', (text, bytes) => {
    expect(hookEnvironment({ RECOLLECT_SPOOL_MAX_BYTES: text }).spoolMaxBytes).toBe(bytes);
  });

  it('sets the data directory with priority over the command line', () => {
    expect(hookDataDirectory('/given', { RECOLLECT_DATA_DIR: '/named', HOME: '/h' })).toBe('/named');
    expect(hookDataDirectory('/given', { HOME: '/h' })).toBe('/given');
    expect(hookDataDirectory(null, { HOME: '/h' })).toBe('/h/.recollect');
    // Never below the folder that the agent works in.
    for (const environment of [{}, { HOME: '' }])
      expect(hookDataDirectory(null, environment)).toBe(path.join(userInfo().homedir, '.recollect'));
  });
});

describe('the output to the host', () => {
  const context = JSON.stringify({
    hookSpecificOutput: { hookEventName: 'Other', additionalContext: 'c', permissionDecision: 'deny' },
    decision: 'block',
    additional_context: 'field',
    contextModification: 'modified',
    cancel: true,
  });
  const at = (event: string, host: string) => hostAnswer({ event, host }, context);
  const claude = '{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"c"}}\n';

  it('has the format of the host and event', () => {
    expect(at('SessionStart', 'claude-code')).toBe(claude);
    expect(at('PreToolUse', 'claude-code')).not.toContain('permissionDecision');
    expect(at('SessionStart', 'codex-cli')).toBe(claude);
    expect(at('PreToolUse', 'codex-cli')).toBe('');
    expect(at('sessionStart', 'cursor')).toBe('{"additional_context":"field"}\n');
    expect(at('beforeSubmitPrompt', 'cursor')).toBe('');
    expect(at('SessionStart', 'gemini-cli')).toBe(claude);
    expect(at('BeforeAgent', 'gemini-cli')).toBe(claude.replace('SessionStart', 'BeforeAgent'));
    expect(at('chat_message', 'opencode')).toBe('{"additional_context":"field"}\n');
    // Cline requires a decision; the server's never counts.
    expect(at('TaskStart', 'cline')).toBe('{"cancel":false,"contextModification":"modified"}\n');
    expect(at('PostToolUse', 'cline')).toBe('');
    expect(at('pre_user_prompt', 'windsurf')).toBe('');
    for (const host of ['unknown', 'constructor', '__proto__']) expect(at('SessionStart', host)).toBe('');
  });

  it('is nothing for an event that only captures', () => {
    expect(at('Stop', 'claude-code')).toBe('');
    expect(bringsContext({ event: 'Stop', host: 'claude-code' })).toBe(false);
    expect(isCaptured({ event: 'PreToolUse', host: 'claude-code' })).toBe(false);
    expect(isCaptured({ event: 'PreToolUse', host: 'unknown' })).toBe(true);
    for (const [event, host] of [
      ['AfterModel', 'gemini-cli'],
      ['pre_run_command', 'windsurf'],
      ['PreToolUse', 'cline'],
    ] as const)
      expect(isCaptured({ event, host })).toBe(false);
  });
});

describe('names', () => {
  it('of deliveries are random UUIDs', () => {
    const ids = Array.from({ length: 1_000 }, () => newDeliveryId());
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('of servers are short and differ', () => {
    const names = ['http://a', 'http://b', 'https://a', 'http://a:1', ''].map((url) => shortHash(url));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}$/);
  });
});
