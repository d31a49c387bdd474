import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { CHART, objectsIn, render } from './support/chart.ts';
import { composeContent } from './support/compose.ts';
import { chartServer } from './support/containers/chart-server.ts';
import type { ChartServer } from './support/containers/chart-server.ts';
import { linkPrograms } from './support/containers/programs.ts';
import { named, podOf } from './support/pods.ts';

// The engines of the chart as processes, with their commands, variables and files: docs/servers.md#checks-of-these-files.

const objects = objectsIn(render('minimal'));
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-chart-run-'));
// The user of PostgreSQL, if root runs this.
chmodSync(folder, 0o711);
let server: ChartServer;

beforeAll(async () => {
  server = await chartServer(objects, folder, await linkPrograms(path.join(folder, 'programs')));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

test('Temporal has the command and the files of Compose', () => {
  const { temporal } = composeContent('compose.yaml').services;
  const [container] = podOf(named(objects, 'Deployment', 'recollect-temporal')).containers;
  expect(container?.command).toEqual(temporal?.entrypoint);
  const { data } = z.looseObject({ data: z.unknown() }).parse(named(objects, 'ConfigMap', 'recollect-temporal'));
  const file = (name: string) => readFileSync(path.join(CHART, 'files', name), 'utf8');
  expect(data).toEqual({
    'config.yaml': file('temporal.yaml'),
    'dynamic-config.yaml': file('temporal-dynamic.yaml'),
    'databases.sh': file('temporal-databases.sh'),
  });
  for (const [from = '', to = ''] of (temporal?.volumes ?? []).map((volume) => volume.split(':')))
    expect(z.record(z.string(), z.string()).parse(data)[path.basename(to)]).toBe(file(path.basename(from)));
});

test('the engines start, the migration succeeds, and doctor finds nothing to do', async () => {
  const postgres = server.start('StatefulSet', 'recollect-postgresql');
  const weaviate = server.start('StatefulSet', 'recollect-weaviate');
  await postgres;
  await server.start('Deployment', 'recollect-temporal');
  await weaviate;
  const migrated = await server.run('Job', 'recollect-migration-1');
  expect(migrated).toContain('PostgreSQL: roles and database exist');
  expect(migrated).toContain('search attributes and schedules exist');
  const doctor = await server.run('CronJob', 'recollect-cli', ['recollect', 'doctor', '--server']);
  expect(doctor).toContain('ok    Weaviate');
  expect(doctor).not.toMatch(/^(?:fail|warn) /m);
});
