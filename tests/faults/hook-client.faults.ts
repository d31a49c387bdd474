import { randomInt } from 'node:crypto';
import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { spoolFiles, spoolFolder } from '../../hook/spool/folder.ts';
import { randomFrom } from '../domain/support/random.ts';
import { untilTrue } from '../setup/until.ts';
import type { AcceptedDelivery } from './support/clients.ts';
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
/** Assumed duration of a client until one was measured. */
const FIRST_GUESS_MS = 100;
/** Some spool lines of padded events; the clients' log is far smaller. */
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

/** Returns a prompt, then tool calls. */
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

/** Returns the name that identifies an event in hooks, spool lines and rows. */
function nameOf(hook: Readonly<Record<string, unknown>>): string {
  return String(hook['tool_use_id'] ?? hook['prompt']);
}

/** Runs a client to its end and asserts that its host gets no output and no error. Returns milliseconds. */
async function run(hook: Hook, options: HookRunOptions = {}): Promise<number> {
  const { exitCode, signal, output, tookMs } = await runHook(instance.dataDir, hook, options);
  expect({ exitCode, signal, output }, `client of ${nameOf(hook)}`).toEqual({ exitCode: 0, signal: null, output: '' });
  return tookMs;
}

/** Returns how many events the client gave up according to its log. Some are stored if its time ended just after the write. */
function reportedLost(): number {
  return notesOf(instance.dataDir, 'not-spooled') + notesOf(instance.dataDir, 'out-of-time');
}

/** Runs clients of a session one after another, every second one killed at a random moment. Returns their events by outcome. */
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

/** Asserts that surviving clients stored their event once, unless the log reports its loss, and killed ones at most once. */
function expectOnceEach(found: readonly string[], outcome: { lived: string[]; killed: string[] }, lost: number): void {
  expect(new Set(found).size, 'events that are stored twice').toBe(found.length);
  const missing = outcome.lived.filter((name) => !found.includes(name));
  expect(missing.length, `${missing.join(', ')} lost without a log entry`).toBeLessThanOrEqual(lost);
  const all = new Set([...outcome.lived, ...outcome.killed]);
  expect(
    found.filter((name) => !all.has(name)),
    'events that no client sent',
  ).toEqual([]);
}

async function expectEmptySpool(): Promise<void> {
  await untilTrue(async () => spoolFiles(instance.dataDir).length === 0, DRAIN_TIMEOUT_MS, 'an empty spool');
}

test('killed clients lose at most their own event and duplicate none while the server runs', async () => {
  const before = reportedLost();
  const outcome = await runSomeKilled('killed-live');
  expect(outcome.killed.length).toBeGreaterThan(0);
  await run(endOf('killed-live'));
  await expectEmptySpool();
  const rows = await instance.query<{ key: string; content: string | null }>(
    `SELECT k.key, p.content FROM capture_keys k JOIN sessions s ON s.id = k.session_id LEFT JOIN prompts p ON p.id = k.row_id
      WHERE s.external_id = 'killed-live' AND k.kind <> 'boundary'`,
  );
  const found = rows.map(({ key, content }) => content ?? key.replace(/^tool:/, ''));
  expectOnceEach(found, outcome, reportedLost() - before);
});

describe('while the server is unavailable', () => {
  /** The final spool content by session. */
  const waiting = new Map<string, AcceptedDelivery[]>();

  /** Records the spooled deliveries of a session; returns the names of their events. */
  const record = (session: string): string[] => {
    const lines = spooledLines(instance.dataDir, session);
    const deliveries = lines.map(({ event, delivery, body }) => {
      const rows = rowsOf(translateHook(event, { ...body, session_id: session }, delivery));
      return { delivery: { path: `/hooks/${event}`, deliveryId: delivery, body, rows }, rowId: null };
    });
    waiting.set(session, deliveries);
    return lines.map(({ body }) => nameOf(body));
  };

  const runAll = async (events: readonly Hook[], options: HookRunOptions = {}): Promise<void> => {
    for (const event of events) await run(event, options);
  };

  beforeAll(() => instance.stop());

  test('killed clients spool complete events or none', async () => {
    const before = reportedLost();
    const outcome = await runSomeKilled('killed-offline');
    expect(outcome.killed.length).toBeGreaterThan(0);
    expectOnceEach(record('killed-offline'), outcome, reportedLost() - before);
  });

  test('a full disk loses events that do not fit, logs them, and damages no others', async () => {
    const before = reportedLost();
    const events = eventsOf('full-disk', EVENTS, PADDING);
    await runAll(events.slice(0, -1), { largestFileBytes: FULL_DISK_BYTES });
    const lost = reportedLost() - before;
    expect(lost, 'events that the full disk lost').toBeGreaterThan(0);
    // There is space again.
    await runAll(events.slice(-1));
    const found = record('full-disk');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - lost);
    expect(found.length, 'events that fitted').toBeLessThan(events.length);
    expect(found.at(-1)).toBe(nameOf(events.at(-1) ?? {}));
  });

  test('skips a half-written line; the next line is complete', async () => {
    const before = reportedLost();
    const events = eventsOf('half-line', EVENTS);
    await runAll(events.slice(0, EVENTS / 2));
    const folder = spoolFolder(instance.dataDir);
    const file = readdirSync(folder).find((name) => name.startsWith('half-line.'));
    // A line truncated by a power cut.
    appendFileSync(path.join(folder, file ?? 'none'), '\n{"v":1,"delivery":"0b0e1c1e-5a4e-4e0b-9c1d-7be2a0');
    await runAll(events.slice(EVENTS / 2));
    const found = record('half-line');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - (reportedLost() - before));
  });

  test('a clock set back by an hour changes neither order nor number', async () => {
    const before = reportedLost();
    const events = eventsOf('clock-back', EVENTS);
    await runAll(events.slice(0, EVENTS / 2));
    await runAll(events.slice(EVENTS / 2), { clockShiftMs: -HOUR_MS });
    const found = record('clock-back');
    expect(found).toEqual(events.map(nameOf).filter((name) => found.includes(name)));
    expect(found.length).toBeGreaterThanOrEqual(events.length - (reportedLost() - before));
    const times = (waiting.get('clock-back') ?? []).map(({ delivery }) => JSON.stringify(delivery.body));
    expect(times.some((text) => text.includes(new Date(Date.now() - HOUR_MS).toISOString().slice(0, 13)))).toBe(true);
  });

  test('a restart stores all spooled events once, row by row, and every session ends', async () => {
    await instance.start();
    const before = reportedLost();
    // The clock is still wrong for the client that begins to drain.
    for (const session of waiting.keys()) await run(endOf(session), { clockShiftMs: -HOUR_MS });
    await expectEmptySpool();
    const ends = await instance.query<{ external_id: string }>(
      "SELECT s.external_id FROM boundaries b JOIN sessions s ON s.id = b.session_id WHERE b.kind = 'session_end'",
    );
    const ended = new Set(ends.map((row) => row.external_id));
    expect([...waiting.keys()].filter((session) => !ended.has(session)).length).toBeLessThanOrEqual(
      reportedLost() - before,
    );
    const end: AcceptedDelivery = {
      delivery: {
        path: '/hooks/SessionEnd',
        deliveryId: 'the end',
        body: null,
        rows: [{ key: expect.any(String), kind: 'boundary', content: 'session_end' }],
      },
      rowId: null,
    };
    const accepted = new Map(
      [...waiting].map(([session, answers]) => [session, ended.has(session) ? [...answers, end] : answers]),
    );
    await expectStoredOnce(instance, accepted);
    const sessions = await expectEnded(instance, ['killed-live', ...accepted.keys()], SETTLE_TIMEOUT_MS);
    await expectStoredOnce(instance, accepted);
    await expectEveryVector(instance);
    await expectNoFailedWorkflow(instance, sessions);
  });
});
