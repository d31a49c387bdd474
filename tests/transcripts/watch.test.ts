import { readFileSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTranscriptCapture } from '../../activities/transcripts/create-transcript-activities.ts';
import { watchTranscripts } from '../../activities/transcripts/watch.ts';
import type { WatchOptions } from '../../activities/transcripts/watch.ts';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { createTranscriptStore, localOwner } from '../../stores/postgres/capture/transcripts.ts';
import { createWorkflowHints } from '../../stores/temporal/hints.ts';
import { transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import type { TestUser } from '../setup/database.ts';
import type { RecordedHook } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { hooksOf, sources, storedRows } from './compare.ts';
import { transcriptFolderOf } from './folder.ts';
import type { TranscriptFolder } from './folder.ts';

let folder: TranscriptFolder;
let instance: TestInstance;
let owner: TestUser;

beforeAll(async () => {
  folder = transcriptFolderOf();
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPTS: 'known', RECOLLECT_TRANSCRIPT_ROOTS: folder.root });
  owner = await instance.stranger({ role: 'admin' });
});
afterAll(async () => {
  await instance.close();
  folder.remove();
});

async function captureHooks(hooks: readonly RecordedHook[]): Promise<void> {
  const events = hooks.flatMap((hook) => {
    const event = translateHook(hook.hook_event_name, hook, `hook-${hook.session_id}-${JSON.stringify(hook).length}`);
    return event === null
      ? []
      : [
          buildCaptureEvent(
            { ...event, source: 'hook', key: event.key?.startsWith('tool:') ? event.key : null },
            owner,
            new Date(),
          ),
        ];
  });
  await captureEvents(instance.db.database.pool, events);
}

/** `beforeRead` runs while a file is open; `report` after each piece of it. */
function look(more: Partial<WatchOptions> = {}, beforeRead = () => {}, report = () => {}) {
  const { database } = instance.db;
  const hints = createWorkflowHints(instance.temporal, instance.config.session, { gatherMs: 1, pollMs: 1, retryMs: 1 });
  return watchTranscripts({
    database,
    now: () => Date.now(),
    storeOf: (who) => {
      const store = createTranscriptStore(database, who, createTranscriptCapture(database.pool, hints, who));
      return {
        ...store,
        readSession: (session) => {
          beforeRead();
          return store.readSession(session);
        },
      };
    },
    options: {
      ...instance.config.transcripts,
      idleMs: instance.config.session.idleMs,
      excludeGlobs: [],
      owner: () => Promise.resolve(owner),
      ...more,
    },
    signal: new AbortController().signal,
    report,
  });
}

describe('the scheduled transcript watch', { timeout: 240_000 }, () => {
  test('belongs to the first active admin of the local tenant, also beside other tenants', async () => {
    const { maintenanceUrl } = instance.config.database;
    expect(maintenanceUrl).toBeDefined();
    expect(await localOwner(instance.db.maintenance)).toBeNull();
    const stop = await instance.startWorker();
    folder.write('-src-n/unowned.jsonl', transcriptOf(hooksOf('unowned')));
    const run = (id: string) =>
      instance.temporal.workflow.execute('transcriptWatch', {
        workflowId: `ops/transcripts/${id}`,
        taskQueue: 'session',
        args: [],
      });
    expect(await run('before')).toEqual({ files: 0, added: 0, late_duplicates: 0 });
    await instance.write("UPDATE tenants SET name = 'local' WHERE id = $1", [owner.tenantId]);
    // An admin who came later, and the admins of other tenants.
    const later = await instance.db.createUser({ role: 'admin', tenantId: owner.tenantId });
    expect(await instance.db.count('tenants')).toBeGreaterThan(1);
    expect(await localOwner(instance.db.maintenance)).toEqual({ tenantId: owner.tenantId, userId: owner.userId });
    await instance.write('UPDATE users SET active = false WHERE id = $1', [owner.userId]);
    expect(await localOwner(instance.db.maintenance)).toEqual({ tenantId: owner.tenantId, userId: later.userId });
    await instance.write('UPDATE users SET active = true WHERE id = $1', [owner.userId]);
    await captureHooks(hooksOf('unowned').slice(0, 3));
    expect(await run('after')).toMatchObject({ files: 1 });
    expect((await sources(instance, 'unowned'))['transcript']).toBeGreaterThan(50);
    await stop();
  });

  test('reads sessions opened by hooks alone', async () => {
    const hooks = hooksOf('opened');
    await captureHooks(hooks.slice(0, 20));
    folder.write('-src-a/opened.jsonl', transcriptOf(hooks));
    const agent = transcriptOf(hooks, { agents: true }).filter((line) => line['isSidechain'] === true);
    folder.write('-src-a/agent-aa7c31f9e.jsonl', agent);
    folder.write('-src-b/stranger.jsonl', transcriptOf(hooksOf('stranger')));
    folder.write(
      '-src-b/agent-99.jsonl',
      agent.map((line) => ({ ...line, sessionId: 'stranger' })),
    );
    expect(await look()).toMatchObject({ files: 2, late_duplicates: 0 });
    expect(await sources(instance, 'stranger')).toEqual({});
    const { prompts, observations } = await storedRows(instance, 'opened');
    expect(prompts).toHaveLength(15);
    expect(observations).toHaveLength(53);
    expect(await look()).toEqual({ files: 0, added: 0, late_duplicates: 0 });
    expect(await look({ mode: 'all' })).toMatchObject({ files: 2 });
    expect((await storedRows(instance, 'stranger')).observations.length).toBeGreaterThan(40);
  });

  test('waits for a file being written, then resumes', async () => {
    const hooks = hooksOf('growing');
    const lines = transcriptOf(hooks, { agents: true });
    await captureHooks(hooks.slice(0, 1));
    folder.write('-src-g/growing.jsonl', lines.slice(0, 40), 5_000);
    expect(await look()).toMatchObject({ files: 0 });
    folder.write('-src-g/growing.jsonl', lines.slice(0, 40), 90_000);
    expect(await look()).toMatchObject({ files: 1 });
    const half = (await storedRows(instance, 'growing')).observations.length;
    folder.write('-src-g/growing.jsonl', lines, 70_000);
    const rest = await look();
    expect(rest.files).toBe(1);
    const { observations, prompts } = await storedRows(instance, 'growing');
    expect([prompts.length, observations.length]).toEqual([15, 53]);
    expect(half).toBeGreaterThan(10);
    const file = await instance.rows<{ lines: number; open: boolean }>(
      "SELECT (counts ->> 'lines')::integer AS lines, open FROM transcript_files WHERE path LIKE '%growing.jsonl'",
    );
    expect(file).toEqual([{ lines: lines.length, open: true }]);
  });

  test('a file that is truncated while it is read ends there, and is read again', async () => {
    await captureHooks(hooksOf('cut').slice(0, 3));
    const file = folder.write('-src/cut.jsonl', transcriptOf(hooksOf('cut')));
    const bytes = readFileSync(file);
    let pieces = 0;
    // The rest ends within a line.
    await look(
      {},
      () => truncateSync(file, 2_000),
      () => (pieces += 1),
    );
    expect(pieces).toBe(1);
    folder.write('-src/cut.jsonl', bytes);
    await look();
    expect((await sources(instance, 'cut'))['transcript']).toBeGreaterThan(50);
  });
});
