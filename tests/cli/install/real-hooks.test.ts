import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import { lostEvents } from '../../../hook/diagnostics.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import { CLAUDE_CODE_ROWS, claudeCodePayload } from '../../setup/claude-code-payloads.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { closedPort } from '../../api/support/closed-port.ts';
import { logEntries } from '../../hook/support/client.ts';
import { testFolder } from '../../infra/support/folder.ts';
import { runProgram } from '../support/output.ts';
import { credentials, Home } from './support/home.ts';

const instance = fileInstance();
let agentKey: string;

beforeAll(async () => {
  // With the scopes of the first start.
  agentKey = (await instance.stranger({ scopes: ['capture', 'read'] })).key;
});

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
    const file = path.join(testFolder(), 'input');
    writeFileSync(file, body);
    // A file: on a busy machine this process may not write a pipe in the client's time.
    const input = openSync(file, 'r');
    // The API runs in this process: a blocking wait for the command would block its response.
    const child = spawn('sh', ['-c', hook.command], {
      env: { PATH, HOME: '/nonexistent', ...settings.env },
      stdio: [input, 'ignore', 'ignore'],
    });
    closeSync(input);
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

async function installed(options: readonly string[], url = instance.url): Promise<{ home: Home; settings: Settings }> {
  const home = new Home({ url, agent_api_key: agentKey });
  await home.run('install', 'claude-code', ...options);
  const file = z.record(z.string(), z.unknown()).parse(home.json('.claude/settings.json'));
  return { home, settings: settingsSchema.parse({ env: {}, ...file }) };
}

function hookOf(settings: Settings, event: string): Hook {
  const hook = settings.hooks[event]?.[0]?.hooks[0];
  if (hook === undefined) throw new Error(`no hook for ${event}`);
  return hook;
}

async function countsOf(session: string): Promise<{ prompts: number; observations: number } | undefined> {
  const rows = await instance.rows<{ prompts: number; observations: number }>(
    `SELECT (SELECT count(*)::int FROM prompts p WHERE p.session_id = s.id) AS prompts,
            (SELECT count(*)::int FROM observations o WHERE o.session_id = s.id) AS observations
     FROM sessions s WHERE s.external_id = $1`,
    [session],
  );
  return rows[0];
}

/** Runs a client and awaits its event in the spool. Returns false if the client reports that it was out of time, as on an overloaded machine. */
async function isSpooled(dataDir: string, run: () => Promise<number>): Promise<boolean> {
  const [events, lost] = [spoolStatus(dataDir, null).events, lostEvents(dataDir).length];
  expect(await run()).toBe(0);
  // A process in the background may have to save it.
  await untilTrue(async () => spoolStatus(dataDir, null).events > events || lostEvents(dataDir).length > lost);
  const others = logEntries(dataDir).filter(
    ({ what, detail = '' }) => what === 'not-spooled' && !detail.endsWith('out of time'),
  );
  expect(others).toEqual([]);
  return spoolStatus(dataDir, null).events > events;
}

const tool = { tool_name: 'Bash', tool_input: { command: 'ls' } };

test('the written hooks capture every event of a session', async () => {
  const { home, settings } = await installed(['--transport', 'http']);
  const common = { session_id: 'by-http', cwd: home.folder, transcript_path: '/t.jsonl' };
  for (const event of Object.keys(settings.hooks)) {
    const ended = await fire(hookOf(settings, event), settings, event, { ...common, ...claudeCodePayload(event) });
    expect({ event, ended }).toEqual({ event, ended: 0 });
  }
  expect(await countsOf('by-http')).toEqual(CLAUDE_CODE_ROWS);
});

test('the default hooks lose no event while the server is down', { timeout: 240_000 }, async () => {
  const { home, settings } = await installed([], `http://127.0.0.1:${await closedPort()}`);
  const common = { session_id: 'while-down', cwd: home.folder };
  const calls = Array.from({ length: 7 }, (_, index) => ({ ...common, ...tool, tool_use_id: `down-${index}` }));
  const dataDir = home.path('.recollect');
  for (const call of calls) {
    const fireOnce = () => fire(hookOf(settings, 'PostToolUse'), settings, 'PostToolUse', call);
    for (let tries = 1; !(await isSpooled(dataDir, fireOnce)); tries += 1) expect(tries).toBeLessThan(5);
  }
  const status = () => runProgram(['status', '--data-dir', dataDir]);
  expect((await status()).text).toMatch(/^spool: 7 events wait since 20/m);
  home.write('.recollect/credentials.json', credentials(instance.url, agentKey));
  // A process that a hook started may be draining.
  await untilTrue(async () => {
    await runProgram(['spool', 'drain', '--data-dir', dataDir]);
    return !(await status()).text.includes('spool');
  });
  expect(await countsOf('while-down')).toEqual({ prompts: 0, observations: 7 });
  // The client's log alone knows of an event that found no disk either.
  home.write(
    '.recollect/logs/hook.log',
    `${JSON.stringify({ at: '2026-01-02', event: 'Stop', what: 'not-spooled' })}\n`,
  );
  expect((await status()).text).toContain('hooks: 1 events were lost, the last at 2026-01-02');
});

test('the client commands capture every event, too', { timeout: 300_000 }, async () => {
  const { home, settings } = await installed([]);
  const common = { session_id: 'by-client', cwd: home.folder };
  const arrived = await until(async () => {
    // A client may time out on a busy machine and spool the event; sent again it is stored once.
    const ended = await fire(hookOf(settings, 'PostToolUse'), settings, 'PostToolUse', {
      ...common,
      ...claudeCodePayload('PostToolUse'),
    });
    return ended === 0 ? await countsOf('by-client') : { prompts: ended, observations: 0 };
  }, 240_000);
  expect(arrived).toEqual({ prompts: 0, observations: 1 });
});
