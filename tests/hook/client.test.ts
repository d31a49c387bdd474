import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { BACKGROUND } from '../../hook/arguments.ts';
import type { SpoolOrder } from '../../hook/background.ts';
import { DEFAULT_HOST, DEFAULT_NAMESPACE } from '../../hook/hosts.ts';
import { projectFacts } from '../../hook/project/facts.ts';
import { LOCAL_SERVER } from '../../hook/target.ts';
import { until } from '../setup/until.ts';
import { buildClient, drainTo, makeDataDir, removeDataDir, runClient, spoolNames } from './support/client.ts';
import { answerJson, startServer } from './support/servers.ts';
import type { TestServer } from './support/servers.ts';

// The built client as a process, against the real API and against a server that records its requests.

const CONTEXT = { hookSpecificOutput: { hookEventName: 'whatever', additionalContext: 'known\nthings' } };

let instance: TestInstance;
let echo: TestServer;
let dataDir: string;
let echoDir: string;

beforeAll(async () => {
  buildClient();
  instance = await startTestInstance();
  echo = await startServer(
    answerJson(200, { ...CONTEXT, systemMessage: 'hello', decision: 'block', continue: false, suppressOutput: true }),
  );
  dataDir = makeDataDir({ url: instance.url, key: instance.admin.key });
  echoDir = makeDataDir(echo);
});

afterAll(async () => {
  await echo.close();
  await instance.close();
  removeDataDir(dataDir);
  removeDataDir(echoDir);
});

async function storedOf(session: string): Promise<readonly Record<string, unknown>[]> {
  const rows = await instance.rows<Record<string, unknown>>(
    'SELECT o.tool, o.content FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = $1',
    [session],
  );
  return rows;
}

/** Rows of a session, once they are there: on a busy machine the client may have had to keep the event. */
function rowsOf(session: string): Promise<readonly Record<string, unknown>[]> {
  return until(async () => {
    const rows = await storedOf(session);
    if (rows.length === 0) await drainTo(dataDir);
    return rows.length === 0 ? undefined : rows;
  });
}

describe('delivery to the api', () => {
  it('stores a tool call once and prints nothing', async () => {
    const input = {
      session_id: 'client-1',
      cwd: '/srv/a',
      tool_name: 'Bash',
      tool_use_id: 'toolu_client_1',
      tool_input: { command: 'ls' },
      tool_response: { stdout: 'a\nb' },
    };
    const run = await runClient('PostToolUse', input, { dataDir });
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await rowsOf('client-1')).toMatchObject([{ tool: 'Bash' }]);
    await drainTo(dataDir);
    expect(spoolNames(dataDir)).toEqual([]);
    expect(await rowsOf('client-1')).toHaveLength(1);
  });

  it('accepts a tool’s output of megabytes', async () => {
    const input = { session_id: 'client-big', tool_name: 'Bash', tool_response: 'ä'.repeat(2_000_000) };
    const options = { dataDir, stdin: 'file' } as const;
    const [row] = await until(async () => {
      // A file: what is in it is there at once, while a busy machine may not write a pipe of megabytes in the client's time.
      expect(await runClient('PostToolUse', input, options)).toMatchObject({ code: 0, stdout: '' });
      await drainTo(dataDir);
      const rows = await storedOf('client-big');
      return rows.length > 0 ? rows : undefined;
    });
    expect(String(row?.['content']).length).toBeGreaterThan(30_000);
  });

  it('reads megabytes from a pipe without a time limit in the background', async () => {
    const order: SpoolOrder = {
      dataDir,
      server: LOCAL_SERVER,
      session: 'client-pipe',
      delivery: randomUUID(),
      event: 'PostToolUse',
      host: DEFAULT_HOST,
      namespace: DEFAULT_NAMESPACE,
      factsOf: null,
    };
    const body = { session_id: 'client-pipe', tool_name: 'Bash', tool_response: 'ä'.repeat(2_000_000) };
    const options = { dataDir, args: ['spool'] };
    const run = await runClient(BACKGROUND, `${JSON.stringify(order)}\n${JSON.stringify(body)}`, options);
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const [row] = await rowsOf('client-pipe');
    expect(String(row?.['content']).length).toBeGreaterThan(30_000);
  });
});

it('ends at once within a model request of Recollect itself, without an event sent or spooled', async () => {
  const input = { session_id: 'client-internal', tool_name: 'Bash', tool_response: 'x' };
  const before = echo.received.length;
  for (const event of ['SessionStart', 'UserPromptSubmit', 'PostToolUse']) {
    const environment = { RECOLLECT_INTERNAL: '1' };
    // It does not even wait for its input.
    const run = await runClient(event, input, { dataDir: echoDir, environment, keepOpen: true });
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
  }
  expect(echo.received).toHaveLength(before);
  expect(spoolNames(echoDir)).toEqual([]);
});

describe('a request', () => {
  const sent = async (event: string, fields: Readonly<Record<string, unknown>>, args: readonly string[] = []) => {
    const session = randomUUID();
    const run = await runClient(event, { session_id: session, ...fields }, { dataDir: echoDir, args, stdin: 'file' });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    return until(async () => {
      const mine = echo.received.filter(({ body }) => body['session_id'] === session);
      if (mine.length === 0) await drainTo(echoDir);
      const [first] = mine;
      return first === undefined ? undefined : { session, first, all: mine };
    });
  };

  it('is the host’s JSON with the time added, under an id of its own', async () => {
    const one = await sent('Stop', { last_assistant_message: 'done' });
    const two = await sent('Stop', { last_assistant_message: 'done' });
    expect(one.first.path).toBe('/api/v1/hooks/Stop');
    expect(one.first.headers.authorization).toBe(`Bearer ${echo.key}`);
    expect(one.first.headers['content-type']).toBe('application/json');
    expect(one.first.body).toEqual({
      session_id: one.session,
      last_assistant_message: 'done',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const ids = [one, two].map(({ first }) => first.headers['x-recollect-delivery']);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[1]).not.toBe(ids[0]);
  });

  it('leaves the host’s own time', async () => {
    const { first } = await sent('Stop', { timestamp: '2026-01-02T03:04:05Z' });
    expect(first.body['timestamp']).toBe('2026-01-02T03:04:05Z');
  });

  it('names another host', async () => {
    const { first } = await sent('Stop', {}, ['--host', 'codex-cli']);
    expect(first.path).toBe('/api/v1/hooks/Stop?host=codex-cli');
  });

  it('contains the facts of the project at a session’s start, and only then', async () => {
    const root = path.join(echoDir, 'project');
    mkdirSync(path.join(root, 'src'), { recursive: true });
    execFileSync('git', ['init', '-q', root]);
    execFileSync('git', ['-C', root, 'remote', 'add', 'origin', 'https://me:secret-token@git.example/team/app.git']);
    const cwd = path.join(root, 'src');
    const { first } = await sent('SessionStart', { cwd });
    expect(first.body).toMatchObject({ cwd, root, git_remote: 'https://git.example/team/app.git' });
    expect(first.body['machine_id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.text).not.toContain('secret-token');
    const again = await sent('SessionStart', { cwd });
    expect(again.first.body['machine_id']).toBe(first.body['machine_id']);
    expect(statSync(path.join(echoDir, 'machine-id')).mode & 0o777).toBe(0o600);
    const other = await sent('PostToolUse', { cwd });
    expect(Object.keys(other.first.body).sort()).toEqual(['cwd', 'session_id', 'timestamp']);
  });

  it('contains the folder of the process at a prompt of Windsurf, whose hooks name none', async () => {
    const { first } = await sent('pre_user_prompt', { tool_info: {} }, ['--host', 'windsurf']);
    const { root } = await projectFacts(process.cwd(), echoDir);
    expect(first.body).toMatchObject({ root, machine_id: expect.any(String) });
    const { first: cline } = await sent('TaskResume', { workspaceRoots: [echoDir] }, ['--host', 'cline']);
    expect(cline.body).toMatchObject({ root: echoDir });
  });

  it('is one delivery', async () => {
    const { all } = await sent('Notification', { message: 'm' });
    expect(new Set(all.map(({ headers }) => headers['x-recollect-delivery'])).size).toBe(1);
  });
});

describe('the output', () => {
  const expected = (event: string) =>
    `${JSON.stringify({ hookSpecificOutput: { hookEventName: event, additionalContext: 'known\nthings' }, systemMessage: 'hello' })}\n`;

  it.each(['SessionStart', 'UserPromptSubmit', 'PreToolUse'])(
    '%s: context and message, nothing else',
    async (event) => {
      const run = await until(async () => {
        const ended = await runClient(event, { session_id: 'x' }, { dataDir: echoDir });
        // On a busy machine its time may be over before the response arrives.
        return ended.stdout === '' ? undefined : ended;
      });
      expect(run).toMatchObject({ code: 0, stdout: expected(event), stderr: '' });
    },
  );

  it.each([
    'PostToolUse',
    'PostToolUseFailure',
    'SubagentStart',
    'SubagentStop',
    'Stop',
    'StopFailure',
    'PreCompact',
    'PostCompact',
    'Notification',
    'SessionEnd',
    'SomethingNew',
  ])('%s: nothing, whatever the server answers', async (event) => {
    const run = await runClient(event, { session_id: 'x' }, { dataDir: echoDir });
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});

describe('the target server', () => {
  it('prefers the environment, then client.json, then the instance', async () => {
    const other = await startServer(answerJson(200, {}));
    const remote = await startServer(answerJson(200, {}));
    const own = await startServer(answerJson(200, {}));
    const folder = makeDataDir(own);
    writeFileSync(
      path.join(folder, 'client.json'),
      JSON.stringify({ url: `${other.url}/behind/`, api_key: 'of-client' }),
    );
    const run = (environment: Record<string, string>) =>
      runClient('Stop', { session_id: 'x' }, { dataDir: folder, environment });
    /** Until the client was quick enough to be seen. */
    const goesTo = (server: TestServer, environment: Record<string, string>) => {
      const seen = server.received.length;
      return until(async () => {
        await run(environment);
        return server.received.length > seen ? server.received.at(-1) : undefined;
      });
    };
    try {
      const first = await goesTo(other, {});
      expect(first.path).toBe('/behind/api/v1/hooks/Stop');
      expect(first.headers.authorization).toBe('Bearer of-client');
      const second = await goesTo(remote, { RECOLLECT_URL: remote.url, RECOLLECT_API_KEY: 'of-environment' });
      expect(second.headers.authorization).toBe('Bearer of-environment');
      // An address without a key is ignored.
      await goesTo(other, { RECOLLECT_URL: remote.url });
      expect(own.received).toEqual([]);
    } finally {
      await other.close();
      await remote.close();
      await own.close();
      removeDataDir(folder);
    }
  });
});
