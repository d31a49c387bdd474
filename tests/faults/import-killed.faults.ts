import { afterAll, beforeAll, expect, test } from 'vitest';
import { importSchema } from '../../contract/imports.ts';
import { transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { startTestInstance, SWEEPS } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { startWorkerProcess } from '../setup/worker-process.ts';
import { hooksOf, storedRows } from '../transcripts/compare.ts';
import { transcriptFolderOf } from '../transcripts/folder.ts';
import type { TranscriptFolder } from '../transcripts/folder.ts';

const SESSIONS = 16;
let folder: TranscriptFolder;
let instance: TestInstance;

beforeAll(async () => {
  folder = transcriptFolderOf();
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPT_ROOTS: folder.root }, SWEEPS);
});
afterAll(async () => {
  await instance.close();
  folder.remove();
});

test('an import whose worker is killed twice continues and stores everything once', { timeout: 400_000 }, async () => {
  let lines = 0;
  for (let index = 0; index < SESSIONS; index += 1) {
    const all = transcriptOf(hooksOf(`many-${index}`), { agents: true });
    lines += all.length;
    folder.write(`-src/many-${index}.jsonl`, all, 2 * 24 * 3_600_000 - index * 60_000);
  }
  // Reading only: summaries of the sessions would slow the machine down.
  const environment = {
    ...instance.environment,
    RECOLLECT_HTTP_PORT: '37700',
    RECOLLECT_WORKER_QUEUES: 'session,transcripts',
  };
  const job = importSchema.parse((await instance.call('POST', '/imports', { body: { kind: 'transcripts' } })).body);
  const readJob = async () => importSchema.parse((await instance.call('GET', `/imports/${job.id}`)).body);
  for (const atLeast of [100, 500]) {
    const worker = await startWorkerProcess(environment);
    await until(async () => (await readJob()).counts.added > atLeast || undefined, 150_000, `${atLeast} events`);
    await worker.kill();
    expect((await readJob()).state).toBe('running');
  }
  const worker = await startWorkerProcess(environment);
  const done = await until(
    async () => {
      const now = await readJob();
      return now.state === 'running' ? undefined : now;
    },
    120_000,
    'the end',
  );
  await worker.stop();
  expect(done).toMatchObject({ state: 'completed', files: { total: SESSIONS, done: SESSIONS } });
  // The counts are exact, however often a line was read: they are written in the cursor's transaction.
  expect(done.counts).toMatchObject({ lines, repeated: 0, late_duplicates: 0, refused: 0 });
  const first = await storedRows(instance, 'many-0');
  for (let index = 1; index < SESSIONS; index += 1) {
    const { prompts, observations } = await storedRows(instance, `many-${index}`);
    expect([index, prompts]).toEqual([index, first.prompts]);
    expect([index, observations]).toEqual([index, first.observations]);
  }
});
