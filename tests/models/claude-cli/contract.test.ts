import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kill } from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import { createClaudeCliModel } from '../../../models/claude-cli/model.ts';
import type { ClaudeCliModelOptions } from '../../../models/claude-cli/model.ts';
import { startFailure } from '../../../models/claude-cli/program.ts';
import { removeOldRuns } from '../../../models/claude-cli/run-folder.ts';
import { testFolder } from '../../infra/support/folder.ts';
import {
  countTokens,
  failure,
  LARGE,
  live,
  outputOf,
  SECRET_WORD,
  sendCall,
  SMALL,
  topic,
  window,
} from '../claude/claude-fixture.ts';
import { createFakeClaude, quotaEvent, rejectedLines, resultLines } from './fake-claude.ts';
import type { FakeClaude, FakeRun } from './fake-claude.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
let nowMs = START;
let program: FakeClaude | undefined;
afterEach(() => {
  program?.remove();
  nowMs = START;
});

function modelOf(runs: readonly FakeRun[], changes: Partial<ClaudeCliModelOptions> = {}) {
  program = createFakeClaude(runs);
  return createClaudeCliModel({
    command: program.command,
    environment: { PATH: '/usr/bin', HOME: '/home/someone', ANTHROPIC_API_KEY: 'k', RECOLLECT_DATABASE_URL: 'secret' },
    small: SMALL,
    large: LARGE,
    smallWindowTokens: 4_000,
    timeoutMs: 60_000,
    maxOutputTokens: 1_500,
    requestTokens: 9_000,
    countTokens,
    now: () => nowMs,
    ...changes,
  });
}

const windowOf = (runs: readonly FakeRun[], changes: Partial<ClaudeCliModelOptions> = {}) =>
  sendCall(modelOf(runs, changes).prepareWindow(window, live()));
const played = (result: object, ...events: readonly object[]): FakeRun => ({ lines: resultLines(result, ...events) });
const good = played({ structured_output: topic });

test('runs the program in an empty folder, without tools, hooks, settings, keys and transcript', async () => {
  const call = await modelOf([good]).prepareWindow(window, live());
  const { reading } = await call.send(live());
  expect(outputOf({ reading }).content).toBe('C');
  const [run] = program?.runs() ?? [];
  const { arguments: given = [], environment = {}, files, system, input, folder = '' } = run ?? {};
  const after = (option: string) => given[given.indexOf(option) + 1];
  expect(given).toEqual(
    expect.arrayContaining(['-p', '--verbose', '--safe-mode', '--strict-mcp-config', '--no-session-persistence']),
  );
  expect([after('--output-format'), after('--model')]).toEqual(['stream-json', LARGE.name]);
  expect([after('--tools'), after('--setting-sources')]).toEqual(['', '']);
  expect(JSON.parse(after('--json-schema') ?? '')).toMatchObject({ type: 'object', additionalProperties: false });
  expect(files).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  expect(system).not.toContain(SECRET_WORD);
  expect(input).toContain(SECRET_WORD);
  // The rows are not in the arguments, which other users of the machine could read.
  expect(given.join(' ')).not.toContain(SECRET_WORD);
  expect(environment).toEqual({
    PATH: '/usr/bin',
    HOME: '/home/someone',
    MAX_THINKING_TOKENS: '0',
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: '1500',
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    RECOLLECT_INTERNAL: '1',
  });
});

test('records the tokens and the cost that the program states', async () => {
  const { usage } = await windowOf([good]);
  expect(usage).toMatchObject({
    provider: 'claude-cli',
    model: LARGE.name,
    inputTokens: 5_012,
    outputTokens: 210,
    tokensCached: 700,
    tokensCacheWritten: 4_300,
    costUsd: 0.0123,
  });
});

describe('a result with an error', () => {
  test.each<readonly [string, FakeRun, string]>([
    ['401', { lines: rejectedLines(401, `Invalid key ${SECRET_WORD}`) }, 'unauthorised'],
    ['404', { lines: rejectedLines(404, 'no such model') }, 'unauthorised'],
    ['407', { lines: rejectedLines(407, 'proxy') }, 'unauthorised'],
    ['429', { lines: rejectedLines(429, 'limit reached') }, 'rate_limited'],
    ['500', { lines: rejectedLines(500, 'internal') }, 'unavailable'],
    ['529', { lines: rejectedLines(529, 'overloaded') }, 'overloaded'],
    [
      'a prompt that is too long',
      { lines: rejectedLines(400, 'Prompt is too long', { terminal_reason: 'prompt_too_long' }) },
      'invalid_request',
    ],
    ['no log-in', { lines: rejectedLines(null, 'Not logged in · Please run /login') }, 'unauthorised'],
    ['no connection', { lines: rejectedLines(null, 'API Error: Connection error.') }, 'unavailable'],
    ['an unknown option', { lines: [], code: 1 }, 'unauthorised'],
    ['a killed program', { lines: resultLines({}).slice(0, 1), killed: true }, 'unavailable'],
    ['no lines', { lines: [] }, 'unavailable'],
  ])('of %s is reported without text of the request', async (_, run, kind) => {
    const error = await failure(windowOf([run]));
    expect(error).toMatchObject({ kind, usage: [], retryAfterMs: undefined });
    expect(error.message).not.toContain(SECRET_WORD);
    expect(program?.runs()).toHaveLength(1);
  });

  test('that cost something is reported with its cost', async () => {
    const paid = played({ is_error: true, api_error_status: 529, result: 'overloaded' });
    expect(await failure(windowOf([paid]))).toMatchObject({
      kind: 'overloaded',
      usage: [{ provider: 'claude-cli', costUsd: 0.0123, outputTokens: 210 }],
    });
  });

  test('of a program that does not exist names the setting to correct', async () => {
    expect(await failure(windowOf([good], { command: '/nowhere/claude' }))).toMatchObject({
      kind: 'unauthorised',
      message: 'The program of claude-cli cannot be started (ENOENT)',
    });
  });
});

describe('an unusable response', () => {
  test.each<readonly [string, object, string]>([
    ['without output of the schema', { result: `The ${SECRET_WORD} is broken` }, 'invalid_output'],
    ['of another shape', { structured_output: { learned: SECRET_WORD } }, 'invalid_output'],
    ['that was truncated', { result: '{"title"', stop_reason: 'max_tokens' }, 'truncated'],
    ['that was refused', { result: '', stop_reason: 'refusal' }, 'refused'],
  ])('%s has its cost and is repaired by one more run', async (_, result, kind) => {
    const call = await modelOf([played(result), good]).prepareWindow(window, live());
    const { text, reading, usage } = await call.send(live());
    if (reading.ok) throw new Error('the response was accepted');
    expect(reading.kind).toBe(kind);
    expect(reading.where).not.toContain(SECRET_WORD);
    expect(usage.costUsd).toBe(0.0123);
    const repair = await call.repair(text, reading.problem, live());
    expect(outputOf(await repair.send(live())).content).toBe('C');
  });

  test('in a code fence is read', async () => {
    const fenced = played({ result: `\`\`\`json\n${JSON.stringify(topic)}\n\`\`\`` });
    expect(outputOf(await windowOf([fenced])).content).toBe('C');
  });
});

describe('the quota of the user', () => {
  const resetsAt = START / 1_000 + 3_600;

  test('that is nearly exhausted ends requests until its reset, without a run; the response itself is used', async () => {
    const model = modelOf([played({ structured_output: topic }, quotaEvent(0.9, resetsAt)), good]);
    expect(outputOf(await sendCall(model.prepareWindow(window, live()))).content).toBe('C');
    nowMs += 60_000;
    expect(await failure(sendCall(model.prepareWindow(window, live())))).toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 3_540_000,
      usage: [],
    });
    expect(program?.runs()).toHaveLength(1);
    nowMs = resetsAt * 1_000;
    expect(outputOf(await sendCall(model.prepareWindow(window, live()))).content).toBe('C');
  });

  test('below nine tenths limits nothing', async () => {
    const model = modelOf([played({ structured_output: topic }, quotaEvent(0.89, resetsAt))]);
    await sendCall(model.prepareWindow(window, live()));
    expect(outputOf(await sendCall(model.prepareWindow(window, live()))).content).toBe('C');
  });

  test('that is exhausted for days is tried again after a day', async () => {
    const lines = [quotaEvent(1, START / 1_000 + 5 * 86_400, 'rejected'), ...rejectedLines(429, 'limit reached')];
    const model = modelOf([{ lines }]);
    for (let n = 0; n < 2; n += 1)
      expect(await failure(sendCall(model.prepareWindow(window, live())))).toMatchObject({
        kind: 'rate_limited',
        retryAfterMs: 86_400_000,
      });
    expect(program?.runs()).toHaveLength(1);
  });

  test('that is exhausted is waited for until its reset', async () => {
    const lines = [quotaEvent(1, resetsAt, 'rejected'), ...rejectedLines(429, 'limit reached')];
    expect(await failure(windowOf([{ lines }]))).toMatchObject({ kind: 'rate_limited', retryAfterMs: 3_600_000 });
  });
});

test('a run ends at its time limit, with the request, and with too much output', async () => {
  const hanging: FakeRun = { lines: resultLines({}).slice(0, 1), hangs: true };
  expect(await failure(windowOf([hanging], { timeoutMs: 1_000 }))).toMatchObject({ kind: 'timeout' });
  const call = await modelOf([hanging]).prepareWindow(window, live());
  await expect(call.send(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  const cancel = new AbortController();
  const sent = call.send(cancel.signal);
  setTimeout(() => cancel.abort(new Error('stop now')), 300);
  await expect(sent).rejects.toThrow('stop now');
  const long = { lines: [{ type: 'assistant', text: 'x'.repeat(9_000_000) }], hangs: true };
  expect(await failure(windowOf([long]))).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('too long'),
  });
});

describe('a program that left a process with its output open', () => {
  afterEach(() => {
    for (const { left } of program?.runs() ?? []) {
      try {
        if (left !== null) kill(left);
      } catch {
        // The call ended it.
      }
    }
  });

  test.each<readonly [string, FakeRun['leaves'] & string, number]>([
    ['in its group is read at its exit', 'child', 60_000],
    ['elsewhere is read at the time limit', 'daemon', 5_000],
  ])('%s', async (_, leaves, timeoutMs) => {
    const started = performance.now();
    expect(outputOf(await windowOf([{ ...good, leaves }], { timeoutMs })).content).toBe('C');
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('ends with the request', async () => {
    const call = await modelOf([{ ...good, leaves: 'daemon' }], { timeoutMs: 60_000 }).prepareWindow(window, live());
    const cancel = new AbortController();
    const sent = call.send(cancel.signal);
    await expect.poll(() => program?.runs()).toHaveLength(1);
    cancel.abort(new Error('stop now'));
    await expect(sent).rejects.toThrow('stop now');
  });
});

test('a folder that cannot be written is unavailable, so that another provider is used', async () => {
  expect(await failure(windowOf([good], { environment: { TMPDIR: '/nowhere' } }))).toMatchObject({
    kind: 'unavailable',
    message: 'The folder of a run of claude-cli cannot be written (ENOENT)',
  });
});

test.each([
  ['EAGAIN', 'unavailable'],
  ['ENOMEM', 'unavailable'],
  ['EMFILE', 'unavailable'],
  ['EACCES', 'unauthorised'],
])('a program that cannot be started for %s is %s', (code, kind) => {
  expect(startFailure(Object.assign(new Error('spawn'), { code }))).toMatchObject({ kind });
});

test('has the mark of the supervisor, which ends it after a kill of the worker', async () => {
  await windowOf([good], { environment: { PATH: '/usr/bin', RECOLLECT_SUPERVISED_BY: 'mark' } });
  expect(program?.runs()[0]?.environment).toMatchObject({ RECOLLECT_SUPERVISED_BY: 'mark' });
});

test('the folders of killed runs are removed an hour later, others remain', async () => {
  const scratch = testFolder();
  const old = path.join(scratch, 'recollect-claude-old');
  for (const name of [old, path.join(scratch, 'recollect-claude-new'), path.join(scratch, 'other')]) mkdirSync(name);
  writeFileSync(path.join(old, 'system.txt'), 'x');
  for (const name of [old, path.join(scratch, 'other')]) utimesSync(name, START / 1_000, START / 1_000);
  await removeOldRuns(scratch, START + 3_599_000);
  expect(readdirSync(scratch)).toHaveLength(3);
  await removeOldRuns(scratch, START + 3_601_000);
  expect(readdirSync(scratch).sort()).toEqual(['other', 'recollect-claude-new']);
});

test('counts more tokens than o200k, as a bound of what the program sends', async () => {
  const call = await modelOf([good]).prepareWindow(window, live());
  const { arguments: given = [], system = '', input = '' } = (await call.send(live()), program?.runs()[0]) ?? {};
  const schema = given[given.indexOf('--json-schema') + 1] ?? '';
  expect(call.inputTokens / (countTokens(system) + countTokens(input) + countTokens(schema))).toBeCloseTo(1.3, 1);
});
