import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ago, short } from '../../cli/text/text-layout.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { finished, sessionOf } from '../setup/demo-session.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { untilTrue } from '../setup/until.ts';
import { runProgram, writeCredentials } from './support/output.ts';
import type { Ran } from './support/output.ts';

const PATIENCE_MS = 120_000;
const dataDir = longLivedFolder();
const instance = fileInstance({}, SCHEDULE_NAMES);

/** Runs a command in this process, without input. */
const run = (...args: string[]): Promise<Ran> => runProgram([...args, '--data-dir', dataDir]);

beforeAll(async () => {
  writeCredentials(dataDir, instance);
  const stop = await instance.startWorker();
  await captured(instance, smallSession('cli-1', { remote: 'git@example.org:team/tally.git' }));
  await finished(instance, 'test:cli-1', PATIENCE_MS);
  // A workflow ends after its last write.
  const learning = async () => (await run('jobs', '--kind', 'learning')).text;
  await untilTrue(async () => /^learning\.\S+ +completed/m.test(await learning()), PATIENCE_MS, learning);
  await stop();
  await captured(instance, smallSession('cli-2', { path: '/src/other' }).slice(0, 3));
}, 480_000);

describe('sessions and jobs', { timeout: 240_000 }, () => {
  test('are printed as tables', async () => {
    const { code, text } = await run('sessions');
    expect(code).toBe(0);
    const [head, ...lines] = text.trim().split('\n');
    expect(head).toMatch(/^SESSION +PROJECT +STATUS +PHASE +EVENTS +PENDING +WAITS FOR +CHANGED +LAST ERROR +TITLE$/);
    expect(lines.some((line) => /tally +ended +settled +5 +- +- /.test(line))).toBe(true);
    expect((await run('sessions', '--project', 'tally')).text.trim().split('\n')).toHaveLength(2);
    expect((await run('jobs', '--kind', 'learning')).text).toMatch(/^JOB +STATE.*\nlearning\.[0-9a-f-]{36} +completed/);
    expect(JSON.parse((await run('jobs', '--json', '--kind', 'index')).text)).toMatchObject([{ id: 'index.0' }]);
    expect((await run('jobs', '--kind', 'import')).text).toBe('No jobs.\n');
  });

  test('have schedules, which are listed, paused with a reason, resumed and run', async () => {
    const { text } = await run('schedules', 'list');
    expect(text).toMatch(/^SCHEDULE +STATE +NEXT \(UTC\) +LAST +ENDED +RESULT +DESCRIPTION\n/);
    expect(text).toMatch(/\nretention +active +\d{4}-\d\d-\d\d 02:10 /);
    expect((await run('schedules', 'pause', 'retention', '--reason', 'a look first')).text).toBe('retention paused.\n');
    expect((await run('schedules', 'list')).text).toContain('\nPaused:\nretention: a look first\n');
    expect((await run('schedules', 'resume', 'retention')).text).toBe('retention resumed.\n');
    expect((await run('schedules', 'run', 'partitions')).text).toBe('partitions started.\n');
    expect(await run('schedules', 'resume', 'odd')).toMatchObject({ code: 1 });
    expect(JSON.parse((await run('schedules', 'list', '--json')).text)).toHaveLength(11);
  });

  test('name what is stuck, the reason and the remedy', async () => {
    expect((await run('sessions', '--stuck')).text).toBe(
      'No stuck sessions. Waiting ones: recollect jobs --kind session --state waiting.\n',
    );
    await instance.write("UPDATE sessions SET last_event_at = now() - interval '3 hours' WHERE external_id = 'cli-2'");
    const { text } = await run('sessions', '--stuck');
    expect(text).toMatch(/other +stuck +active/);
    expect(text).toContain(
      '  Captures have waited for 3 hours and no worker has consumed them.\n  See that the worker runs',
    );
    await instance.write("UPDATE sessions SET last_event_at = now() WHERE external_id = 'cli-2'");
  });

  test('are controlled; without a worker an order reports that it was not handled', async () => {
    const off = await run('sessions', 'capture', 'off', 'test:cli-2');
    expect(off).toMatchObject({ code: 0, text: 'Capture disabled: new events of the session are not stored.\n' });
    expect((await run('sessions', 'capture', 'sideways', 'test:cli-2')).code).toBe(1);
    expect((await run('sessions', 'capture', 'on', 'test:cli-2')).text).toBe('Capture enabled.\n');
    const { id } = await sessionOf(instance, 'test:cli-2');
    expect((await run('jobs', 'retry', id)).text).toBe(`session.${id}: retried.\n`);
    expect(await run('jobs', 'retry', 'session.unknown')).toMatchObject({
      code: 1,
      errors: 'No job session.unknown. recollect jobs lists them.\n',
    });
    const closed = await run('sessions', 'close', 'test:cli-2', '--wait', '0');
    expect(closed).toMatchObject({
      code: 1,
      errors: 'Temporal does not answer, or no worker serves it (TEMPORAL_UNAVAILABLE)\n',
    });
  });
});

describe('trace', { timeout: 240_000 }, () => {
  test('shows an event as a timeline with a mark for each step', async () => {
    const { code, text } = await run('trace', 'cli-1-call-2');
    expect(code).toBe(0);
    expect(text).toMatch(/^tool:cli-1-call-2\nof test:cli-1 in tally, ended \([0-9a-f-]{36}\)\n/);
    for (const step of ['captured', 'stored', 'consumed', 'vector 0', 'window', 'summary'])
      expect(text).toMatch(new RegExp(`^ ✓ +${step} `, 'm'));
    expect(text).toContain('in Weaviate');
    expect(text).toMatch(/^ [✓…] +workflow +(?:completed|running), settled /m);
    const times = text.split('\ntimes\n')[1] ?? '';
    for (const step of ['delivered', 'consumed', 'vectors of the rows', 'window closed', 'summarised'])
      expect(times).toMatch(new RegExp(`^ +${step} +[\\d.]+ (?:ms|s|min) +from \\d{4}-`, 'm'));
    const waiting = (await run('trace', 'cli-2-call-1')).text;
    expect(waiting).toMatch(/^ … +consumed +not yet/m);
    expect(waiting).toMatch(/^ +consumed +not complete +from /m);
    expect(waiting).not.toMatch(/^traces /m);
  });

  test('prints JSON, lists several events, and reports that none was found', async () => {
    expect(JSON.parse((await run('trace', 'cli-1-call-1', '--json')).text)).toMatchObject({
      data: [{ key: 'tool:cli-1-call-1' }],
    });
    for (const session of ['a', 'b'])
      await captured(instance, [{ type: 'prompt', host: 'test', session_id: session, content: 'x', key: 'twin' }]);
    expect((await run('trace', 'twin')).text).toMatch(
      /^2 events match\. Choose the session with --session:\n {2}test:b /,
    );
    expect(await run('trace', 'nothing')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('No event nothing in the newest 5000 sessions.'),
    });
  });
});

describe('forget', { timeout: 240_000 }, () => {
  test('shows the affected rows, and changes nothing without confirmation', async () => {
    const dry = await run('forget', 'cli-1-call-3', '--dry-run');
    expect(dry).toMatchObject({ code: 0, text: expect.stringContaining('  1 observation\n') });
    const unasked = await run('forget', 'cli-1-call-3');
    expect(unasked).toMatchObject({ code: 1, errors: expect.stringContaining('--yes') });
    expect((await run('trace', 'cli-1-call-3')).code).toBe(0);
    expect(await run('forget')).toMatchObject({
      code: 1,
      errors: 'Missing argument: name a memory or an event, or a session with --session.\n',
    });
  });

  test('forgets with --yes, which trace shows', async () => {
    expect(await run('forget', 'cli-1-call-3', '--yes')).toMatchObject({
      code: 0,
      text: expect.stringContaining('Forgotten.'),
    });
    expect(await run('trace', 'cli-1-call-3')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^Forgotten in test:cli-1 at /),
    });
    expect((await run('forget', '--session', 'test:cli-2', '--yes')).code).toBe(0);
    expect((await run('sessions')).text).not.toContain('/src/other');
  });
});

describe('projects', { timeout: 240_000 }, () => {
  test('are listed, identified by local folders, merged, and excluded', async () => {
    expect((await run('projects')).text).toMatch(/tally +example\.org\/team\/tally +1 +\d+ /);
    const alias = await run('projects', 'alias', 'tally', './somewhere');
    expect(alias.text).toMatch(
      /^Aliases of tally:\n {2}remote:example\.org\/team\/tally\n {2}path:[0-9a-f-]{36}:\/.*\/somewhere\n$/,
    );
    expect((await run('projects', 'alias', 'tally', './somewhere', '--remove')).text).not.toContain('somewhere');
    await captured(instance, smallSession('cli-3', { path: '/src/tally-old' }).slice(0, 2));
    expect((await run('projects', 'merge', '/src/tally-old', 'tally')).text).toMatch(
      /^tally received 1 sessions and 0 learnings/,
    );
    expect((await run('projects', 'exclude', '~/private/**', '/srv/x')).text).toBe(
      'Not captured:\n  ~/private/**\n  /srv/x\n',
    );
    expect((await run('projects', 'exclude', '/srv/x', '--remove')).text).toBe('Not captured:\n  ~/private/**\n');
    expect((await run('projects', 'exclude')).text).toContain('~/private/**');
  });
});

test('the exit code is 3 without an instance or with an unreachable one', async () => {
  const { code, errors } = await runProgram(['jobs', '--data-dir', path.join(dataDir, 'none')]);
  expect([code, errors]).toEqual([
    3,
    expect.stringMatching(/^There is no instance in .* yet\. Start one with recollect up/),
  ]);
});

test('times and texts are short', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  expect(
    [
      '2026-01-09T23:59:30Z',
      '2026-01-09T23:00:00Z',
      '2026-01-09T00:00:00Z',
      '2026-01-01T00:00:00Z',
      '2026-01-11T00:00:00Z',
    ].map((at) => ago(at, now)),
  ).toEqual(['30s', '60m', '24h', '9d', '0s']);
  expect(short('one\n two', 20)).toBe('one two');
  expect(short('x'.repeat(10), 5)).toBe('xxxx…');
});
