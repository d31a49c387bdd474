import { beforeAll, describe, expect, test } from 'vitest';
import { createTranscriptCapture } from '../../activities/transcripts/create-transcript-activities.ts';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { reconcileSegment } from '../../domain/transcripts/reconcile.ts';
import type { Segment, SegmentResult } from '../../domain/transcripts/reconcile.ts';
import { removeLateDuplicates } from '../../domain/transcripts/progress.ts';
import type { TranscriptStore } from '../../domain/transcripts/store.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { createTranscriptStore } from '../../stores/postgres/capture/transcripts.ts';
import { createWorkflowHints } from '../../stores/temporal/hints.ts';
import { bytesOf, transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { replay } from '../setup/demo-session.ts';
import type { RecordedHook } from '../setup/demo-session.ts';
import { hooksOf, sources, storedRows } from './compare.ts';

const IDLE_MS = 1_800_000;
const DAY_MS = 24 * 3_600_000;
const instance = fileInstance();
let store: TranscriptStore;

beforeAll(async () => {
  const { database } = instance.db;
  const hints = createWorkflowHints(instance.temporal, instance.config.session, { gatherMs: 1, pollMs: 1, retryMs: 1 });
  store = createTranscriptStore(
    database,
    instance.admin,
    createTranscriptCapture(database.pool, hints, instance.admin),
  );
});

function read(session: string, bytes: Buffer, more: Partial<Segment> = {}): Promise<SegmentResult> {
  return reconcileSegment(
    {
      session,
      agentId: null,
      bytes,
      offset: 0,
      countedOffset: 0,
      atEnd: true,
      quietMs: DAY_MS,
      force: false,
      ...more,
    },
    store,
    {
      owner: instance.admin,
      source: 'transcript',
      idleMs: IDLE_MS,
      onlyKnown: false,
      excludes: (folder) => folder.startsWith('/src/hidden'),
      signal: new AbortController().signal,
    },
  );
}

/** Events of hooks that a spool delivers: with keys of their own, and late. */
async function drainSpool(hooks: readonly RecordedHook[], timed: boolean): Promise<void> {
  const events = hooks.flatMap((hook, index) => {
    const payload = timed ? hook : { ...hook, timestamp: undefined };
    const event = translateHook(hook.hook_event_name, payload, `spooled-${hook.session_id}-${index}`);
    return event === null ? [] : [buildCaptureEvent({ ...event, source: 'spool' }, instance.admin, new Date())];
  });
  await captureEvents(instance.db.database.pool, events);
}

async function expectLikeControl(session: string): Promise<void> {
  const control = await storedRows(instance, 'control');
  const rows = await storedRows(instance, session);
  expect(rows.prompts).toEqual(control.prompts);
  expect(rows.observations).toEqual(control.observations);
  expect(rows.boundaries).toEqual(control.boundaries);
}

/** Deterministic: about `share` of the hooks. */
function some(hooks: readonly RecordedHook[], share: number): RecordedHook[] {
  return hooks.filter((_hook, index) => (index * 7919) % 100 < share * 100);
}

describe('a transcript beside its hooks', { timeout: 240_000 }, () => {
  beforeAll(() => replay(instance, hooksOf('control')));

  test('adds nothing to a session that hooks captured completely', async () => {
    const hooks = hooksOf('complete');
    await replay(instance, hooks);
    const result = await read('complete', bytesOf(transcriptOf(hooks, { agents: true })));
    expect(result.counts).toMatchObject({ added: 0, late_duplicates: 0, refused: 0 });
    expect(result.counts.present).toBeGreaterThan(50);
    await expectLikeControl('complete');
    expect(Object.keys(await sources(instance, 'complete'))).toEqual(['hook']);
  });

  test('adds rows that hooks missed, once in repeated reads', async () => {
    const hooks = hooksOf('gaps');
    const delivered = some(hooks, 0.6);
    expect(delivered.length).toBeLessThan(hooks.length * 0.7);
    await replay(instance, delivered);
    const bytes = bytesOf(transcriptOf(hooks, { agents: true }));
    const first = await read('gaps', bytes);
    expect(first.counts.added).toBeGreaterThan(15);
    expect(first.nextOffset).toBe(bytes.length);
    await expectLikeControl('gaps');
    const before = await sources(instance, 'gaps');
    expect(before['transcript']).toBeGreaterThan(15);
    for (let run = 0; run < 2; run += 1) {
      const again = await read('gaps', bytes);
      expect(again.counts).toMatchObject({ added: 0, late_duplicates: 0 });
    }
    expect(await sources(instance, 'gaps')).toEqual(before);
    await expectLikeControl('gaps');
  });

  test('captures a session without hooks', async () => {
    const hooks = hooksOf('unseen');
    await read('unseen', bytesOf(transcriptOf(hooks, { agents: true })));
    await expectLikeControl('unseen');
    const rows = await instance.rows<Record<string, unknown>>(
      "SELECT started_at, model, prompt_count FROM sessions WHERE external_id = 'unseen'",
    );
    expect(rows).toEqual([
      {
        started_at: new Date('2026-04-13T07:52:26.201Z'),
        model: 'claude-sonnet-4-5',
        prompt_count: expect.any(Number),
      },
    ]);
  });
});

describe('late deliveries', { timeout: 240_000 }, () => {
  test.each([
    ['with their own times', true],
    ['without times', false],
  ])('a spool drained after the transcript leaves no duplicates, %s', async (_what, timed) => {
    const session = `late-${timed}`;
    const hooks = hooksOf(session);
    const delivered = some(hooks, 0.5);
    await replay(instance, delivered);
    const bytes = bytesOf(transcriptOf(hooks, { agents: true }));
    await read(session, bytes);
    const complete = await storedRows(instance, session);
    const rest = hooks.filter((hook) => !delivered.includes(hook) && hook.hook_event_name !== 'Notification');
    await drainSpool(rest, timed);
    const doubled = await storedRows(instance, session);
    expect(doubled.prompts.length).toBeGreaterThan(complete.prompts.length);
    expect(doubled.observations).toEqual(complete.observations);

    const { removed } = await removeLateDuplicates(session, store);
    expect(removed).toBe(doubled.prompts.length - complete.prompts.length);
    const after = await storedRows(instance, session);
    expect(after.prompts).toEqual(complete.prompts);
    expect(after.boundaries.filter(({ kind }) => kind === 'turn_end')).toEqual(
      complete.boundaries.filter(({ kind }) => kind === 'turn_end'),
    );
    // A second drain finds every key, and a second read changes nothing.
    await drainSpool(rest, timed);
    expect((await read(session, bytes)).counts).toMatchObject({ added: 0, late_duplicates: 0 });
    expect((await storedRows(instance, session)).prompts).toEqual(complete.prompts);
    const counters = await instance.rows<{ same: boolean }>(
      `SELECT s.prompt_count = (SELECT count(*) FROM prompts p WHERE p.session_id = s.id)
              AND NOT EXISTS (SELECT FROM observations o WHERE o.session_id = s.id AND o.prompt_id IS NOT NULL AND NOT EXISTS (SELECT FROM prompts p WHERE p.id = o.prompt_id))
              AND NOT EXISTS (SELECT FROM capture_keys k WHERE k.session_id = s.id AND k.kind = 'prompt' AND NOT EXISTS (SELECT FROM prompts p WHERE p.id = k.row_id)) AS same
         FROM sessions s WHERE s.external_id = $1`,
      [session],
    );
    expect(counters).toEqual([{ same: true }]);
  });

  test('repeated words are not a duplicate', async () => {
    const at = (minute: number) => `2026-05-01T10:${String(minute).padStart(2, '0')}:00.000Z`;
    const ask = (minute: number): RecordedHook => ({
      session_id: 'again',
      cwd: '/src/again',
      hook_event_name: 'UserPromptSubmit',
      prompt: 'continue',
      timestamp: at(minute),
    });
    const stop = (minute: number, text: string): RecordedHook => ({
      ...ask(minute),
      hook_event_name: 'Stop',
      last_assistant_message: text,
    });
    const hooks = [ask(0), stop(1, 'Done.'), ask(10), stop(11, 'Done.'), ask(20), stop(21, 'Done.')];
    // Hooks captured the second and third round alone, the third first.
    await replay(instance, [...hooks.slice(4), ...hooks.slice(2, 4)]);
    const result = await read('again', bytesOf(transcriptOf(hooks)));
    expect(result.counts).toMatchObject({ late_duplicates: 0 });
    const { prompts, boundaries } = await storedRows(instance, 'again');
    expect(prompts.map(({ type, occurred_at: time }) => `${String(type)} ${(time as Date).toISOString()}`)).toEqual([
      `user ${at(0)}`,
      `assistant ${at(1)}`,
      `user ${at(10)}`,
      `assistant ${at(11)}`,
      `user ${at(20)}`,
      `assistant ${at(21)}`,
    ]);
    expect(boundaries.filter(({ kind }) => kind === 'turn_end')).toHaveLength(3);
    expect((await removeLateDuplicates('again', store)).removed).toBe(0);
  });
});

describe("a session's content", { timeout: 240_000 }, () => {
  const minute = (n: number) => new Date(Date.UTC(2026, 4, 2, 9, n)).toISOString();
  const line = (n: number, rest: Record<string, unknown>) => ({
    uuid: `${typeof rest['sessionId'] === 'string' ? rest['sessionId'] : 'made'}-${n}`,
    timestamp: minute(n),
    sessionId: 'made',
    cwd: '/src/made',
    isSidechain: false,
    ...rest,
  });
  const userLine = (n: number, text: string, rest: Record<string, unknown> = {}) =>
    line(n, { type: 'user', message: { role: 'user', content: text }, ...rest });
  const agentLine = (n: number, content: unknown[], rest: Record<string, unknown> = {}) =>
    line(n, {
      type: 'assistant',
      message: { id: `m${n}`, role: 'assistant', content, stop_reason: 'end_turn' },
      ...rest,
    });

  test('recognises a turn that a hook sends with all texts or the last one', async () => {
    const talk = (sessionId: string) => [
      userLine(0, 'Look into it.', { sessionId }),
      agentLine(
        1,
        [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: `${sessionId}-t`, name: 'Bash', input: { command: 'ls' } },
        ],
        { sessionId },
      ),
      line(2, {
        type: 'user',
        sessionId,
        message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: `${sessionId}-t`, content: 'a' }] },
      }),
      agentLine(3, [{ type: 'text', text: 'Found it.' }], { sessionId }),
    ];
    for (const [session, lastMessage] of [
      ['last', 'Found it.'],
      ['joined', 'I look.\n\nFound it.'],
      ['lines', 'I look.\nFound it.'],
      ['other', 'Found it, in the host’s own words.'],
    ] as const) {
      await replay(instance, [
        { session_id: session, hook_event_name: 'UserPromptSubmit', prompt: 'Look into it.', timestamp: minute(0) },
        { session_id: session, hook_event_name: 'Stop', last_assistant_message: lastMessage, timestamp: minute(3) },
      ]);
      const result = await read(session, bytesOf(talk(session)));
      // The start and the call: hooks gave neither.
      expect({ session, added: result.counts.added }).toEqual({ session, added: 2 });
      const { prompts } = await storedRows(instance, session);
      expect(prompts.map(({ content }) => content)).toEqual(['Look into it.', lastMessage]);
    }
  });

  test('a copy of the history in a later transcript is counted and not stored again', async () => {
    const original = [
      userLine(0, 'First.', { sessionId: 'original' }),
      agentLine(1, [{ type: 'text', text: 'One.' }], { sessionId: 'original' }),
    ];
    await read('original', bytesOf(original));
    const copy = original.map((one) => ({ ...one, sessionId: 'resumed' }));
    const more = [
      userLine(5, 'Second.', { sessionId: 'resumed' }),
      agentLine(6, [{ type: 'text', text: 'Two.' }], { sessionId: 'resumed' }),
    ];
    const result = await read('resumed', bytesOf([...copy, ...more]));
    expect(result.counts.repeated).toBe(2);
    const { prompts } = await storedRows(instance, 'resumed');
    expect(prompts.map(({ content }) => content)).toEqual(['Second.', 'Two.']);
  });

  test('ends idle sessions, not live ones, and reopens continued ones', async () => {
    const start = [userLine(0, 'Begin.'), agentLine(1, [{ type: 'text', text: 'Started.' }])];
    const ends = async () =>
      (
        await instance.rows<{ n: number }>(
          "SELECT count(*)::integer AS n FROM boundaries b JOIN sessions s ON s.id = b.session_id WHERE s.external_id = 'made' AND b.kind = 'session_end'",
        )
      )[0]?.n;
    const live = await read('made', bytesOf(start), { quietMs: 90_000 });
    expect([live.open, await ends()]).toEqual([true, 0]);
    expect((await read('made', bytesOf(start))).open).toBe(false);
    expect(await ends()).toBe(1);
    await read('made', bytesOf(start));
    expect(await ends()).toBe(1);
    await read(
      'made',
      bytesOf([...start, userLine(50, 'Continue.'), agentLine(51, [{ type: 'text', text: 'Continued.' }])]),
    );
    expect(await ends()).toBe(2);
  });

  test('continues a growing file at its incomplete record; pieces equal the full file', async () => {
    const hooks = hooksOf('pieces');
    const bytes = bytesOf(transcriptOf(hooks, { agents: true }));
    let offset = 0;
    let countedOffset = 0;
    let lines = 0;
    let added = 0;
    for (let size = 3_000; offset < bytes.length; size += 3_000) {
      const end = Math.min(bytes.length, Math.max(size, offset + 1));
      const result = await read('pieces', bytes.subarray(offset, end), {
        offset,
        countedOffset,
        atEnd: end === bytes.length,
        quietMs: end === bytes.length ? DAY_MS : 90_000,
      });
      expect(result.nextOffset).toBeGreaterThanOrEqual(offset);
      ({ nextOffset: offset, countedOffset } = result);
      lines += result.counts.lines;
      added += result.counts.added;
    }
    expect(lines).toBe(transcriptOf(hooks, { agents: true }).length);
    expect(added).toBeGreaterThan(60);
    await expectLikeControl('pieces');
  });

  test('does not capture an excluded folder from its transcript', async () => {
    const talk = [
      userLine(0, 'Seen.', { sessionId: 'mixed' }),
      agentLine(1, [{ type: 'text', text: 'Yes.' }], { sessionId: 'mixed' }),
      userLine(2, 'Hidden.', { sessionId: 'mixed', cwd: '/src/hidden/app' }),
      agentLine(3, [{ type: 'text', text: 'Too.' }], { sessionId: 'mixed', cwd: '/src/hidden/app' }),
    ];
    expect((await read('mixed', bytesOf(talk))).counts).toMatchObject({ refused: 2 });
    const { prompts } = await storedRows(instance, 'mixed');
    expect(prompts.map(({ content }) => content)).toEqual(['Seen.', 'Yes.']);
  });

  test('restores neither forgotten rows nor deleted sessions', async () => {
    const talk = [
      userLine(0, 'Store.', { sessionId: 'deleted' }),
      agentLine(1, [{ type: 'text', text: 'Stored.' }], { sessionId: 'deleted' }),
    ];
    await read('deleted', bytesOf(talk));
    await instance.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 'deleted'");
    const result = await read('deleted', bytesOf([...talk, userLine(5, 'More.', { sessionId: 'deleted' })]));
    expect(result.counts.added).toBe(0);
    expect((await storedRows(instance, 'deleted')).prompts).toHaveLength(2);
  });
});
