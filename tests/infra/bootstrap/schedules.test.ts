import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { parseMigrationConfig } from '../../../config/config.ts';
import { SCHEDULE_NAMES, SCHEDULES, WORKER_QUEUES } from '../../../domain/jobs.ts';
import type { ScheduleName, WorkerQueue } from '../../../domain/jobs.ts';
import { migrateServer } from '../../../infra/bootstrap/server.ts';
import { deployFile } from '../../deploy/support/chart.ts';
import { composeContent } from '../../deploy/support/compose.ts';
import { fileDatabase } from '../../setup/database.ts';
import { testEnvironment } from '../../setup/instance.ts';
import { longLivedFolder } from '../support/long-lived-folder.ts';

const HISTORIES = path.resolve(import.meta.dirname, '../../replay/histories');
const db = fileDatabase();
const folder = longLivedFolder();
const namespace = `schedules-${randomUUID()}`;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('engines').temporal.address });
  client = new Client({ connection, namespace });
});
afterAll(async () => {
  for (const name of SCHEDULE_NAMES) await client.schedule.getHandle(`ops/${name}`).delete();
  await connection.close();
});

const migrate = (settings: Readonly<Record<string, string>> = {}) =>
  migrateServer({
    config: parseMigrationConfig({
      ...testEnvironment(db, namespace, settings),
      RECOLLECT_OWNER_DATABASE_URL: db.url('owner'),
    }),
    credentialsPath: path.join(folder, 'credentials.json'),
    url: 'https://memory.example.org',
    progress: () => undefined,
  });

/** Reasons of paused schedules; null for active ones. */
async function pauses(): Promise<Record<string, string | null>> {
  const found = await Promise.all(
    SCHEDULE_NAMES.map(async (name) => {
      const { state } = await client.schedule.getHandle(`ops/${name}`).describe();
      return [name, state.paused ? (state.note ?? '') : null] as const;
    }),
  );
  return Object.fromEntries(found);
}

const described = () => client.schedule.getHandle('ops/transcripts').describe();

/** Task queues in the stored histories of a schedule's workflow. */
function queuesOf(name: ScheduleName): WorkerQueue[] {
  const files = readdirSync(HISTORIES).filter((file) => file.startsWith(`${SCHEDULES[name].workflow}.`));
  const text = files.map((file) => readFileSync(path.join(HISTORIES, file), 'utf8')).join('\n');
  return WORKER_QUEUES.filter((queue) => new RegExp(`"name": ?"${queue}"`).test(text));
}

const served = z.object({ workers: z.record(z.string(), z.object({ queues: z.array(z.string()) })) });
const ofCompose = new Set(
  Object.entries(composeContent('compose.yaml').services)
    .filter(([name]) => name.startsWith('worker-'))
    .flatMap(([, { command = [] }]) => String(command[1]).split(',')),
);
const ofChart = new Set(
  Object.values(served.parse(deployFile('helm/recollect/values.yaml')).workers).flatMap(({ queues }) => queues),
);

test('active schedules of a server have queues that the workers of Compose and of the chart serve', async () => {
  await migrate();
  const paused = await pauses();
  const active = SCHEDULE_NAMES.filter((name) => paused[name] === null);
  expect(active.length).toBe(SCHEDULE_NAMES.length - 1);
  const needed = active.flatMap((name) => queuesOf(name).map((queue) => ({ name, queue })));
  expect(needed.filter(({ queue }) => queue === 'session').length).toBe(active.length);
  expect(needed.length).toBeGreaterThanOrEqual(2 * active.length);
  expect(needed.filter(({ queue }) => !ofCompose.has(queue) || !ofChart.has(queue))).toEqual([]);
  expect(queuesOf('transcripts')).toEqual(['session', 'transcripts']);
});

/** The server's scheduler reads what was changed a moment later. */
async function expectPause(reason: string | null): Promise<void> {
  await expect.poll(async () => (await pauses())['transcripts']).toBe(reason);
}

test('the setting of transcripts resumes and pauses their schedule, also one of an earlier migration', async () => {
  await migrate({ RECOLLECT_TRANSCRIPTS: 'known' });
  await expectPause(null);
  await migrate();
  await expectPause('RECOLLECT_TRANSCRIPTS');
  await migrate({ RECOLLECT_SCHEDULES_PAUSED: 'transcripts' });
  await expectPause('RECOLLECT_SCHEDULES_PAUSED');
  await migrate({ RECOLLECT_TRANSCRIPTS: 'known' });
  await expectPause(null);
  await client.schedule.getHandle('ops/transcripts').pause('folder is moved');
  await expectPause('folder is moved');
  const before = await described();
  await migrate();
  // The update was carried out, and left the pause.
  await expect.poll(async () => (await described()).info.lastUpdatedAt).not.toEqual(before.info.lastUpdatedAt);
  await expectPause('folder is moved');
});
