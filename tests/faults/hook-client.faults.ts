import { randomInt } from 'node:crypto';
import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { spoolFiles, spoolFolder } from '../../hook/spool/folder.ts';
import { randomFrom } from '../domain/support/random.ts';
import { until } from '../setup/until.ts';
import type { ServedMemories } from './support/clients.ts';
import { rowsOf } from './support/deliveries.ts';
import { startFaultInstance } from './support/fault-instance.ts';
import type { FaultInstance } from './support/fault-instance.ts';
import { notesOf, runHook, spooledLines } from './support/hook-client.ts';
import type { HookRunOptions } from './support/hook-client.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { expectStoredOnce } from './support/stored-rows.ts';

const HOUR_MS = 3_600_000;
const EVENTS = 12;
const DRAIN_TIMEOUT_MS = 120_000;
const SETTLE_TIMEOUT_MS = 600_000;
/** A client's usual life before the first one was timed. */
const FIRST_GUESS_MS = 100;
/** Some lines of a spool whose events are padded; what the clients log stays far below it. */
const FULL_DISK_BYTES = 20_480;
const PADDING = 'and so on, '.repeat(250);

const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const random = randomFrom(seed);

let instance: FaultInstance;

beforeAll(async () => {
  process.stderr.write(`seed ${seed}\n`);
  instance = await startFaultInstance();
});
afterAll(() => instance.remove());

type Hook = Readonly<Record<string, unknown>> & { readonly hook_event_name: string };

/** A prompt, then tool calls. */
function eventsOf(session_id: string, count: number, filler = ''): Hook[] {
  const common = { session_id, cwd: '/src/client' };
  return Array.from({ length: count }, (_, n) =>
    n === 0
      ? { ...common, hook_event_name: 'UserPromptSubmit', prompt: `Begin ${session_id}.` }
      : {
          ...common,
          hook_event_name: 'PostToolUse',
          tool_name: 'Bash',
          tool_input: { command: `step ${n}` },
          tool_response: { stdout: `Step ${n} of ${session_id} is done. ${filler}` },
          tool_use_id: `${session_id}-${n}`,
        },
  );
}

function endOf(session_id: string): Hook {
  return { session_id, cwd: '/src/client', hook_event_name: 'SessionEnd', reason: 'exit' };
}

/** What an event is known by, wherever it stands. */
function nameOf(hook: Readonly<Record<string, unknown>>): string {
  return String(hook['tool_use_id'] ?? hook['prompt']);
}

/** Runs a client to its end. Whatever happens to its event, its host is told nothing and is not held up; answers how long it took. */
async function run(hook: Hook, options: HookRunOptions = {}): Promise<number> {
  const { exitCode, signal, output, tookMs } = await runHook(instance.dataDir, hook, options);
  expect({ exitCode, signal, output }, `client of ${nameOf(hook)}`).toEqual({ exitCode: 0, signal: null, output: '' });
  return tookMs;
}

/**
 * Events that the client's log says it gave up: a host is never held up, whatever that costs. Some of them are kept all the same, where
 * its time was over just after the write.
 */
function confessed(): number {
  return notesOf(instance.dataDir, 'not-spooled') + notesOf(instance.dataDir, 'out-of-time');
}

/** Runs clients of a session one after another, each second one killed at a random moment of its life; answers who was not and who was. */
async function runSomeKilled(session: string): Promise<{ lived: string[]; killed: string[] }> {
  const lived: string[] = [];
  const killed: string[] = [];
  let usualMs = FIRST_GUESS_MS;
  for (const [n, event] of eventsOf(session, EVENTS * 2).entries()) {
    if (n % 2 === 0) {
      usualMs = await run(event);
      lived.push(nameOf(event));
    } else {
      const { signal } = await runHook(instance.dataDir, event, { killAfterMs: random() * usualMs });
      (signal === 'SIGKILL' ? killed : lived).push(nameOf(event));
    }
  }
  return { lived, killed };
}

/** Asserts that each who lived left its event once, unless the log confesses its loss, and who was killed at most once. */
function expectOnceEach(found: readonly string[], outcome: { lived: string[]; killed: string[] }, lost: number): void {
  expect(new Set(found).size, 'events that are there twice').toBe(found.length);
  const missing = outcome.lived.filter((name) => !found.includes(name));
  expect(missing.length, `${missing.join(', ')} lost without a word`).toBeLessThanOrEqual(lost);
  const all = new Set([...outcome.lived, ...outcome.killed]);
  expect(
    found.filter((name) => !all.has(name)),
    'events that nobody sent',
  ).toEqual([]);
}

async function expectEmptySpool(): Promise<void> {
  const empty = () => Promise.resolve(spoolFiles(instance.dataDir).length === 0 ? true : undefined);
  await until(empty, DRAIN_TIMEOUT_MS, 'an empty spool');
}

test('clients that are killed beside a running server cost at most their own event, and double none', async () => {
  const before = confessed();
  const outcome = await runSomeKilled('killed-live');
  expect(outcome.killed.length).toBeGreaterThan(0);
  await run(endOf('killed-live'));
  await expectEmptySpool();
  const rows = await instance.query<{ key: string; content: string | null }>(
    `SELECT k.key, p.content FROM capture_keys k JOIN sessions s ON s.id = k.session_id LEFT JOIN prompts p ON p.id = k.row_id
      WHERE s.external_id = 'killed-live' AND k.kind <> 'boundary'`,
  );
  const found = rows.map(({ key, content }) => content ?? key.replace(/^tool:/, ''));
  expectOnceEach(found, outcome, confessed() - before);
});

describe('while the server is away', () => {
  /** What waits in the spool by session, when everything has happened to it. */
  const waiting = new Map<string, ServedMemories[]>();

  /** Notes what the spool promises for a session, and answers by name what that is. */
  const keep = (session: string): string[] => {
    const lines = spooledLines(instance.dataDir, session);
    const told = lines.map(({ event, delivery, body }) => {
      const rows = rowsOf(translateHook(event, { ...body, session_id: session }, delivery));
      return { delivery: { path: `/hooks/${event}`, deliveryId: delivery, body, rows }, rowId: null };
    });
    waiting.set(session, told);
    return lines.map(({ body }) => nameOf(body));
  };

  const runAll = async (events: readonly Hook[], options: HookRunOptions = {}): Promise<void> => {
    for (const event of events) await run(event, options);
  };

  beforeAll(() => instance.stop());

  test('clients that are killed leave whole events or none', async () => {
    const before = confessed();
    const outcome = await runSomeKilled('killed-away');
    expect(outcome.killed.length).toBeGreaterThan(0);
    expectOnceEach(keep('killed-away'), outcome, confessed() - before);
  });

  test('a disk that is full loses what it has no room for, says so, and spoils nothing else', async () => {
    const before = confessed();
    const events = eventsOf('full-disk', EVENTS, PADDING);
    await runAll(events.slice(0, -1), { largestFileBytes: FULL_DISK_BYTES });
    const lost = confessed() - before;
    expect(lost, 'events that the full disk cost').toBeGreaterThan(0);
    // There is room again.
    await runAll(events.slice(-1));
    const found = keep('full-disk');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - lost);
    expect(found.length, 'events that found room').toBeLessThan(events.length);
    expect(found.at(-1)).toBe(nameOf(events.at(-1) ?? {}));
  });

  test('a half-written line is passed over, and the next one stands whole behind it', async () => {
    const before = confessed();
    const events = eventsOf('half-line', EVENTS);
    await runAll(events.slice(0, EVENTS / 2));
    const folder = spoolFolder(instance.dataDir);
    const file = readdirSync(folder).find((name) => name.startsWith('half-line.'));
    // What a power cut leaves of a line.
    appendFileSync(path.join(folder, file ?? 'none'), '\n{"v":1,"delivery":"0b0e1c1e-5a4e-4e0b-9c1d-7be2a0');
    await runAll(events.slice(EVENTS / 2));
    const found = keep('half-line');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - (confessed() - before));
  });

  test('a clock that is set back by an hour changes neither order nor number', async () => {
    const before = confessed();
    const events = eventsOf('clock-back', EVENTS);
    await runAll(events.slice(0, EVENTS / 2));
    await runAll(events.slice(EVENTS / 2), { clockShiftMs: -HOUR_MS });
    const found = keep('clock-back');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - (confessed() - before));
    const times = (waiting.get('clock-back') ?? []).map(({ delivery }) => JSON.stringify(delivery.body));
    expect(times.some((text) => text.includes(new Date(Date.now() - HOUR_MS).toISOString().slice(0, 13)))).toBe(true);
  });

  test('when it is back, all that waited is stored, once, row by row, and every session ends', async () => {
    await instance.start();
    const before = confessed();
    // The clock is still wrong for the client that begins to drain.
    for (const session of waiting.keys()) await run(endOf(session), { clockShiftMs: -HOUR_MS });
    await expectEmptySpool();
    const ends = await instance.query<{ external_id: string }>(
      "SELECT s.external_id FROM boundaries b JOIN sessions s ON s.id = b.session_id WHERE b.kind = 'session_end'",
    );
    const ended = new Set(ends.map((row) => row.external_id));
    expect([...waiting.keys()].filter((session) => !ended.has(session)).length).toBeLessThanOrEqual(
      confessed() - before,
    );
    const end: ServedMemories = {
      delivery: {
        path: '/hooks/SessionEnd',
        deliveryId: 'the end',
        body: null,
        rows: [{ key: expect.any(String), kind: 'boundary', content: 'session_end' }],
      },
      rowId: null,
    };
    const told = new Map(
      [...waiting].map(([session, answers]) => [session, ended.has(session) ? [...answers, end] : answers]),
    );
    await expectStoredOnce(instance, told);
    const sessions = await expectEnded(instance, ['killed-live', ...told.keys()], SETTLE_TIMEOUT_MS);
    await expectStoredOnce(instance, told);
    await expectEveryVector(instance);
    await expectNoFailedWorkflow(instance, sessions);
  });
});
