import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import { createTestUser } from '../../setup/database.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { Home } from './support/home.ts';

let instance: TestInstance;
let agentKey: string;

beforeAll(async () => {
  instance = await startTestInstance();
  // With the scopes of the first start.
  agentKey = (await createTestUser(instance.db.superuser, { scopes: ['capture', 'read'] })).key;
});
afterAll(() => instance.close());

const settingsSchema = z.object({
  env: z.record(z.string(), z.string()),
  hooks: z.record(
    z.string(),
    z.array(
      z.object({
        hooks: z.array(
          z.discriminatedUnion('type', [
            z.object({
              type: z.literal('http'),
              url: z.url(),
              headers: z.record(z.string(), z.string()),
              allowedEnvVars: z.array(z.string()),
            }),
            z.object({ type: z.literal('command'), command: z.string() }),
          ]),
        ),
      }),
    ),
  ),
});
type Settings = z.output<typeof settingsSchema>;
type Hook = Settings['hooks'][string][number]['hooks'][number];

/** Fires one hook as Claude Code does: with the payload as body, or on the stdin of a shell command. */
async function fire(hook: Hook, settings: Settings, event: string, payload: object): Promise<number> {
  const body = JSON.stringify({ ...payload, hook_event_name: event });
  if (hook.type === 'command') {
    const { PATH } = processEnvironment();
    // The API runs in this process: a blocking wait for the command would block its response.
    const child = spawn('sh', ['-c', hook.command], {
      env: { PATH, HOME: '/nonexistent', ...settings.env },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(body);
    const [code] = await once(child, 'exit');
    return z.number().parse(code);
  }
  const fill = (text: string) =>
    text.replaceAll(/\$(\w+)/g, (_, name: string) =>
      hook.allowedEnvVars.includes(name) ? (settings.env[name] ?? '') : '',
    );
  const headers = Object.fromEntries(Object.entries(hook.headers).map(([name, value]) => [name, fill(value)]));
  const answer = await fetch(hook.url, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  });
  return answer.ok ? 0 : answer.status;
}

async function installed(transport: 'http' | 'client'): Promise<{ home: Home; settings: Settings }> {
  const home = new Home({ url: instance.url, agent_api_key: agentKey });
  await home.run('install', 'claude-code', '--transport', transport);
  const file = z.record(z.string(), z.unknown()).parse(home.json('.claude/settings.json'));
  return { home, settings: settingsSchema.parse({ env: {}, ...file }) };
}

function hookOf(settings: Settings, event: string): Hook {
  const hook = settings.hooks[event]?.[0]?.hooks[0];
  if (hook === undefined) throw new Error(`no hook for ${event}`);
  return hook;
}

async function countsOf(session: string): Promise<{ prompts: number; observations: number } | undefined> {
  const { rows } = await instance.db.superuser.query<{ prompts: number; observations: number }>(
    `SELECT (SELECT count(*)::int FROM prompts p WHERE p.session_id = s.id) AS prompts,
            (SELECT count(*)::int FROM observations o WHERE o.session_id = s.id) AS observations
     FROM sessions s WHERE s.external_id = $1`,
    [session],
  );
  return rows[0];
}

const tool = { tool_name: 'Bash', tool_input: { command: 'ls' } };
const OWN: Readonly<Record<string, object>> = {
  SessionStart: { source: 'startup' },
  UserPromptSubmit: { prompt: 'hello' },
  PreToolUse: { tool_name: 'Read', tool_input: { file_path: '/a' } },
  PostToolUse: { ...tool, tool_response: 'a', tool_use_id: 't1' },
  PostToolUseFailure: { ...tool, error: 'no', tool_use_id: 't2' },
  Stop: { last_assistant_message: 'completed' },
  Notification: { message: 'waiting' },
};

test('the written hooks capture every event of a session', async () => {
  const { home, settings } = await installed('http');
  const common = { session_id: 'by-http', cwd: home.folder, transcript_path: '/t.jsonl' };
  for (const event of Object.keys(settings.hooks)) {
    const ended = await fire(hookOf(settings, event), settings, event, { ...common, ...OWN[event] });
    expect({ event, ended }).toEqual({ event, ended: 0 });
  }
  // The prompt and the last message; two tool calls, the notification and the failed turn.
  expect(await countsOf('by-http')).toEqual({ prompts: 2, observations: 4 });
});

test('the client commands capture every event, too', { timeout: 240_000 }, async () => {
  const { home, settings } = await installed('client');
  const common = { session_id: 'by-client', cwd: home.folder };
  const arrived = await until(async () => {
    // A client may time out on a busy machine and spool the event; sent again it is stored once.
    const ended = await fire(hookOf(settings, 'PostToolUse'), settings, 'PostToolUse', {
      ...common,
      ...OWN['PostToolUse'],
    });
    return ended === 0 ? await countsOf('by-client') : { prompts: ended, observations: 0 };
  }, 240_000);
  expect(arrived).toEqual({ prompts: 0, observations: 1 });
});
