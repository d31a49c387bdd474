import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../config/process-environment.ts';
import { localAccess, requestRestore } from '../../infra/instance/request-restore.ts';
import { createClaudeMem } from '../bench/operations/claude-mem.ts';
import { randomFrom } from '../domain/support/random.ts';
import { smallSession } from '../setup/small-session.ts';
import type { ServiceName } from './support/fault-instance.ts';
import { boundFiles, canBoundFiles, flipBit, flippedCopy } from './support/operations-damage.ts';
import { startOperationsInstance } from './support/operations-instance.ts';
import type { OperationsInstance } from './support/operations-instance.ts';
import { done, ended, JOBS, killedUnderWay, request, start } from './support/operations-jobs.ts';
import type { JobRow, Outcome } from './support/operations-jobs.ts';
import { expectSameIndex, expectCompleteSets, fingerprint } from './support/operations-source.ts';
import type { Fingerprint } from './support/operations-source.ts';
import {
  breakIndex,
  expectNothingFound,
  expectVerified,
  expectCompleteExport,
  isWriting,
} from './support/operations-steps.ts';

const OBSERVATIONS = 12_000;
const VECTORS = 1_500;
const SESSION_ROWS = 50;
const SMALL_SESSIONS = 8;
/** Maximum length of a log line in the report of a failure. */
const LINE_CHARS = 400;
const SOURCE_ROWS = 5_000;
const VICTIMS = ['worker', 'postgres', 'weaviate'] as const satisfies readonly ServiceName[];
/** Largest file on the full disk. */
const FULL_BYTES = 1_048_576;
const PHASES = ['copying', 'indexing', 'verifying', 'vectors', 'resuming'] as const;

const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const random = randomFrom(seed);
const say = (text: string) => process.stderr.write(`${text}\n`);
const reportKill = (what: string, service: string, { failure, seconds }: Outcome) =>
  say(
    `${what}, ${service} killed: completed ${seconds} s later${failure === null ? '' : `, started again after ${failure}`}`,
  );

let operations: OperationsInstance;
let filled: Fingerprint;
/** Backup and export from before the first fault. */
let set: string;
let file: Buffer;

beforeAll(async () => {
  const started = performance.now();
  operations = await startOperationsInstance(OBSERVATIONS, VECTORS);
  for (let n = 0; n < SMALL_SESSIONS; n += 1) {
    const { status } = await request(operations.instance, 'POST', '/events/batch', smallSession(`small-${n}`));
    if (status !== 202) throw new Error(`a session was not captured: ${status}`);
  }
  await expectSameIndex(operations);
  filled = await fingerprint(operations.instance);
  set = (await done(operations.instance, JOBS.backup)).id;
  ({ file } = await expectCompleteExport(
    operations.instance,
    await done(operations.instance, JOBS.export, { scope: 'tenant' }),
  ));
  say(`seed ${seed}; filled in ${Math.round((performance.now() - started) / 1000)} s`);
}, 300_000);
afterAll(() => operations.remove());

/** Asserts that the filled rows are unchanged, except in the tables of `without`. */
async function expectUnharmed(without: readonly string[] = []): Promise<void> {
  const same = Object.entries(filled).filter(([table]) => !without.includes(table));
  expect(await fingerprint(operations.instance, without)).toEqual(Object.fromEntries(same));
}

const counted = z.object({ rows: z.number() });
const rowsOf = (row: JobRow): number => counted.parse(row).rows;

describe.each(VICTIMS)('%s is killed in the middle of', (service) => {
  const watched = () =>
    onTestFailed(() => {
      for (const line of operations.instance.account().split('\n')) say(line.slice(0, LINE_CHARS));
    });

  test('a backup and a repair', async () => {
    watched();
    await breakIndex(operations, { missing: 30, orphaned: 20 });
    const [backup, check] = await killedUnderWay(operations.instance, service, [
      { kind: JOBS.backup, isUnderWay: (row) => rowsOf(row) > 0 },
      { kind: JOBS.check, body: { repair: true }, isUnderWay: () => true },
    ]);
    if (backup === undefined || check === undefined) throw new Error('expected two outcomes');
    reportKill('backup', service, backup);
    reportKill('repair', service, check);
    await expectCompleteSets(operations.instance, operations.backups);
    await expectVerified(operations.instance, backup.row.id);
    expect(check.row['remaining']).toBe(0);
    await expectSameIndex(operations);
    await expectNothingFound(operations, service);
    await expectUnharmed();
  });

  test('an export and an import from claude-mem', async () => {
    watched();
    const name = `source-${service}`;
    const database = path.join(operations.folder, `${name}.db`);
    createClaudeMem(database, SOURCE_ROWS, name);
    const [taken, written] = await killedUnderWay(operations.instance, service, [
      {
        kind: JOBS.claudeMem,
        body: { kind: 'claude-mem', file: database },
        isUnderWay: (row) => z.object({ rows: z.object({ done: z.number() }) }).parse(row).rows.done > 0,
      },
      { kind: JOBS.export, body: { scope: 'tenant' }, isUnderWay: () => isWriting(operations) },
    ]);
    if (taken === undefined || written === undefined) throw new Error('expected two outcomes');
    reportKill('import from claude-mem', service, taken);
    reportKill('export', service, written);
    const { tables } = z
      .object({ tables: z.array(z.looseObject({ table: z.string(), source_rows: z.number() })) })
      .parse(taken.row);
    for (const table of tables)
      expect(table).toMatchObject({ imported: table.source_rows, present: 0, unaccounted: 0 });
    expect(tables.find(({ table }) => table === 'observations')?.source_rows).toBe(SOURCE_ROWS);
    // An observation of claude-mem is imported as a summary.
    const stored = await operations.instance.query<{ n: number }>(
      "SELECT count(*)::integer AS n FROM summaries m JOIN sessions s ON s.id = m.session_id WHERE starts_with(s.external_id, $1) AND m.type <> 'session'",
      [name],
    );
    expect(stored).toEqual([{ n: SOURCE_ROWS }]);
    const exported = await expectCompleteExport(operations.instance, written.row);
    expect(exported.rows['observations']).toBeGreaterThanOrEqual(OBSERVATIONS);
    await expectUnharmed();
  });

  test('an import of a file', async () => {
    watched();
    // Delete some sessions without a trace, which the file restores.
    const { instance } = operations;
    const deleted = 'SELECT id FROM sessions WHERE host = $1 AND substr(external_id, 6)::integer BETWEEN 100 AND 119';
    for (const [table, column] of [
      ['embeddings', 'session_id'],
      ['observations', 'session_id'],
      ['capture_keys', 'session_id'],
      ['sessions', 'id'],
    ] as const)
      await instance.query(`DELETE FROM ${table} WHERE ${column} IN (${deleted})`, ['bench']);
    const [imported] = await killedUnderWay(instance, service, [
      {
        kind: JOBS.fileImport,
        body: file,
        isUnderWay: async () =>
          (await instance.query(`SELECT FROM observations WHERE session_id IN (${deleted}) LIMIT 1`, ['bench']))
            .length > 0,
      },
    ]);
    if (imported === undefined) throw new Error('expected an outcome');
    reportKill('import', service, imported);
    const { read, written } = z
      .object({ read: z.record(z.string(), z.number()), written: z.record(z.string(), z.number()) })
      .parse(imported.row);
    expect(read['observations']).toBeGreaterThanOrEqual(OBSERVATIONS);
    expect(written).toMatchObject({
      sessions: 20,
      capture_keys: 20 * SESSION_ROWS,
      observations: 20 * SESSION_ROWS,
      embeddings: 20 * SESSION_ROWS,
    });
    // Their vectors are created again.
    await expectUnharmed(['embeddings']);
    await expectSameIndex(operations);
  });

  test('retention', async () => {
    watched();
    const { instance } = operations;
    const projects = await instance.query<{ id: string; n: number }>(
      "SELECT s.project_id AS id, count(*)::integer AS n FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = 'bench' GROUP BY 1 ORDER BY 1",
    );
    const [retained, ...expired] = projects;
    // Row by row if one project retains its rows of that month, else the complete month.
    const byMonth = service === 'postgres';
    const policy = { resource: 'observation', age_days: 1, action: 'delete' };
    const policies = byMonth ? [policy] : expired.map(({ id }) => ({ ...policy, project: id }));
    const expected = OBSERVATIONS - (byMonth ? 0 : (retained?.n ?? 0));
    expect(await request(instance, 'PUT', '/admin/retention/policies', { policies })).toMatchObject({ status: 200 });
    const dry = await done(instance, JOBS.retention, { dry_run: true });
    await expectUnharmed(['embeddings']);
    expect(await request(instance, 'POST', `/admin/retention/runs/${dry.id}/approve`)).toMatchObject({ status: 200 });
    const [run] = await killedUnderWay(instance, service, [
      { kind: JOBS.retention, body: { dry_run: false }, isUnderWay: (row) => rowsOf(row) > 0 },
    ]);
    if (run === undefined) throw new Error('expected an outcome');
    reportKill(byMonth ? 'retention of a month' : 'retention of rows', service, run);
    expect([rowsOf(dry), rowsOf(run.row)]).toEqual([expected, expected]);
    expect({ ...run.row, bytes: dry['bytes'] }).toEqual(run.row);
    const remaining = await instance.query<{ id: string; n: number }>(
      "SELECT s.project_id AS id, count(*)::integer AS n FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = 'bench' GROUP BY 1",
    );
    expect(remaining).toEqual(byMonth ? [] : [retained]);
    await expectSameIndex(operations);
    await expectNothingFound(operations, service);
  });

  test('a restore', async () => {
    watched();
    const { instance } = operations;
    const at = Math.floor(random() * PHASES.length);
    const [restored] = await killedUnderWay(instance, service, [
      {
        kind: JOBS.restore,
        body: { backup_id: set, overwrite: true },
        isUnderWay: ({ phase }) => PHASES.some((name, n) => n >= at && name === phase),
      },
    ]);
    if (restored === undefined) throw new Error('expected an outcome');
    reportKill(`restore (${PHASES[at] ?? ''})`, service, restored);
    expect(restored.row).toMatchObject({
      result: {
        tables: { different: [] },
        foreign_keys: { invalid: 0 },
        queries: { different: 0 },
        vectors: { unproved: 0 },
      },
    });
    const databases = await instance.query<{ name: string }>(
      "SELECT datname AS name FROM pg_database WHERE datname LIKE '%\\_restore\\_%' OR datname LIKE '%\\_replaced\\_%'",
    );
    expect(databases).toEqual([{ name: z.object({ replaced: z.string() }).parse(restored.row['result']).replaced }]);
    await instance.query(`DROP DATABASE ${databases[0]?.name ?? ''} WITH (FORCE)`);
    await expectSameIndex(operations);
    await expectUnharmed();
    await expectNothingFound(operations, service);
    await expectCompleteSets(operations.instance, operations.backups);
  });
});

describe('damaged files are rejected', () => {
  test.each([
    ['manifest', (name: string) => name === 'manifest.json'],
    ['table', (name: string) => name.includes('tables/') && name.endsWith('.zst')],
    ['vectors', (name: string) => name.includes('vectors/') && name.endsWith('.zst')],
  ] as const)('one flipped bit of a set: %s', async (_what, isMeant) => {
    const { store, name } = flippedCopy(operations, set, isMeant, random);
    const access = localAccess(operations.instance.dataDir, {});
    if (access === null) throw new Error('no access to the instance');
    const restoreRequest = {
      kind: 'restore',
      backupId: set,
      store,
      signer: null,
      overwrite: false,
      dryRun: true,
    } as const;
    const row = await ended(operations.instance, JOBS.restore, await requestRestore(access, restoreRequest));
    expect({ name, ...row }).toMatchObject({ name, state: 'failed', error: 'BackupCorrupted' });
    await expectUnharmed();
  });

  test('one flipped bit of an export', async () => {
    const damaged = Buffer.from(file);
    flipBit(damaged, random);
    const row = await ended(
      operations.instance,
      JOBS.fileImport,
      (await start(operations.instance, JOBS.fileImport, damaged)).id,
    );
    expect(row).toMatchObject({ state: 'failed', error: 'ExportFileError', written: {} });
    await expectUnharmed();
  });
});

test.skipIf(!canBoundFiles())('a full disk fails backups and exports, and nothing else', async () => {
  const { instance, backups, archive } = operations;
  const worker = instance.pid('worker');
  // Unfinished files of killed workers are removed after a day.
  const unfinished = (): string[][] =>
    [path.join(instance.dataDir, 'backups'), archive].map((folder) => readdirSync(path.join(folder, '.unfinished')));
  const before = unfinished();
  boundFiles(worker, FULL_BYTES);
  try {
    const { id } = await start(instance, JOBS.backup);
    const events = smallSession('while-full');
    expect(await request(instance, 'POST', '/events/batch', events)).toMatchObject({
      status: 202,
      body: { accepted: events.length },
    });
    expect(await ended(instance, JOBS.backup, id)).toMatchObject({
      state: 'failed',
      error: 'ArchiveFull',
      complete: false,
    });
    const { id: exporting } = await start(instance, JOBS.export, { scope: 'tenant' });
    expect(await ended(instance, JOBS.export, exporting)).toMatchObject({ state: 'failed', error: 'ArchiveFull' });
    await expectCompleteSets(instance, backups);
    await expectUnharmed();
  } finally {
    boundFiles(worker, null);
  }
  const backup = await done(instance, JOBS.backup);
  await expectVerified(instance, backup.id);
  await expectCompleteSets(instance, backups);
  expect(unfinished()).toEqual(before);
});
