import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../config/process-environment.ts';
import { localAccess, requestRestore } from '../../infra/instance/request-restore.ts';
import { makeClaudeMem } from '../bench/operations/claude-mem.ts';
import { randomFrom } from '../domain/support/random.ts';
import { smallSession } from '../setup/small-session.ts';
import type { ServiceName } from './support/fault-instance.ts';
import { boundFiles, canBoundFiles, flipBit, flippedCopy } from './support/operations-damage.ts';
import { startKeepInstance } from './support/operations-instance.ts';
import type { KeepInstance } from './support/operations-instance.ts';
import { ask, begin, done, ended, JOBS, killedUnderWay } from './support/operations-jobs.ts';
import type { JobRow, Outcome } from './support/operations-jobs.ts';
import { expectSameIndex, expectWholeSets, fingerprint } from './support/operations-source.ts';
import type { Fingerprint } from './support/operations-source.ts';
import {
  breakIndex,
  expectNothingFound,
  expectVerified,
  expectWholeExport,
  isWriting,
} from './support/operations-steps.ts';

const OBSERVATIONS = 12_000;
const VECTORS = 1_500;
const SESSION_ROWS = 50;
const SMALL_SESSIONS = 8;
/** Of a log, for whoever reads a failure. */
const LINE_CHARS = 400;
const THEIRS = 5_000;
const VICTIMS = ['worker', 'postgres', 'weaviate'] as const satisfies readonly ServiceName[];
/** What a full disk still takes of one file. */
const FULL_BYTES = 1_048_576;
const PHASES = ['copying', 'indexing', 'verifying', 'vectors', 'resuming'] as const;

const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const random = randomFrom(seed);
const say = (text: string) => process.stderr.write(`${text}\n`);
const tell = (what: string, service: string, { failure, seconds }: Outcome) =>
  say(`${what}, ${service} killed: done ${seconds} s later${failure === null ? '' : `, begun again after ${failure}`}`);

let keep: KeepInstance;
let filled: Fingerprint;
/** A backup and an export of before any fault. */
let set: string;
let file: Buffer;

beforeAll(async () => {
  const started = performance.now();
  keep = await startKeepInstance(OBSERVATIONS, VECTORS);
  for (let n = 0; n < SMALL_SESSIONS; n += 1) {
    const { status } = await ask(keep.instance, 'POST', '/events/batch', smallSession(`small-${n}`));
    if (status !== 202) throw new Error(`a session was not captured: ${status}`);
  }
  await expectSameIndex(keep);
  filled = await fingerprint(keep.instance);
  set = (await done(keep.instance, JOBS.backup)).id;
  ({ file } = await expectWholeExport(keep.instance, await done(keep.instance, JOBS.export, { scope: 'tenant' })));
  say(`seed ${seed}; filled in ${Math.round((performance.now() - started) / 1000)} s`);
}, 300_000);
afterAll(() => keep.remove());

/** Asserts that nothing of what was filled in has changed, in any table but those that are named. */
async function expectUnharmed(without: readonly string[] = []): Promise<void> {
  const same = Object.entries(filled).filter(([table]) => !without.includes(table));
  expect(await fingerprint(keep.instance, without)).toEqual(Object.fromEntries(same));
}

const counted = z.object({ rows: z.number() });
const rowsOf = (row: JobRow): number => counted.parse(row).rows;

describe.each(VICTIMS)('%s is killed in the middle of', (service) => {
  const watched = () =>
    onTestFailed(() => {
      for (const line of keep.instance.account().split('\n')) say(line.slice(0, LINE_CHARS));
    });

  test('a backup and a repair', async () => {
    watched();
    await breakIndex(keep, { missing: 30, orphaned: 20 });
    const [backup, check] = await killedUnderWay(keep.instance, service, [
      { kind: JOBS.backup, isUnderWay: (row) => rowsOf(row) > 0 },
      { kind: JOBS.check, body: { repair: true }, isUnderWay: () => true },
    ]);
    if (backup === undefined || check === undefined) throw new Error('two jobs were begun');
    tell('backup', service, backup);
    tell('repair', service, check);
    await expectWholeSets(keep.instance, keep.backups);
    await expectVerified(keep.instance, backup.row.id);
    expect(check.row['left']).toBe(0);
    await expectSameIndex(keep);
    await expectNothingFound(keep);
    await expectUnharmed();
  });

  test('an export and an import from claude-mem', async () => {
    watched();
    const name = `theirs-${service}`;
    const database = path.join(keep.folder, `${name}.db`);
    makeClaudeMem(database, THEIRS, name);
    const [taken, written] = await killedUnderWay(keep.instance, service, [
      {
        kind: JOBS.claudeMem,
        body: { kind: 'claude-mem', file: database },
        isUnderWay: (row) => z.object({ rows: z.object({ done: z.number() }) }).parse(row).rows.done > 0,
      },
      { kind: JOBS.export, body: { scope: 'tenant' }, isUnderWay: () => isWriting(keep) },
    ]);
    if (taken === undefined || written === undefined) throw new Error('two jobs were begun');
    tell('import from claude-mem', service, taken);
    tell('export', service, written);
    const { tables } = z
      .object({ tables: z.array(z.looseObject({ table: z.string(), theirs: z.number() })) })
      .parse(taken.row);
    for (const table of tables) expect(table).toMatchObject({ imported: table.theirs, present: 0, unaccounted: 0 });
    expect(tables.find(({ table }) => table === 'observations')?.theirs).toBe(THEIRS);
    // What it calls an observation tells of some work: a summary of ours.
    const stored = await keep.instance.query<{ n: number }>(
      "SELECT count(*)::integer AS n FROM summaries m JOIN sessions s ON s.id = m.session_id WHERE starts_with(s.external_id, $1) AND m.type <> 'session'",
      [name],
    );
    expect(stored).toEqual([{ n: THEIRS }]);
    const exported = await expectWholeExport(keep.instance, written.row);
    expect(exported.rows['observations']).toBeGreaterThanOrEqual(OBSERVATIONS);
    await expectUnharmed();
  });

  test('an import of a file', async () => {
    watched();
    // What the file brings back: some sessions that are gone without a trace.
    const { instance } = keep;
    const gone = 'SELECT id FROM sessions WHERE host = $1 AND substr(external_id, 6)::integer BETWEEN 100 AND 119';
    for (const [table, column] of [
      ['embeddings', 'session_id'],
      ['observations', 'session_id'],
      ['capture_keys', 'session_id'],
      ['sessions', 'id'],
    ] as const)
      await instance.query(`DELETE FROM ${table} WHERE ${column} IN (${gone})`, ['bench']);
    const [imported] = await killedUnderWay(instance, service, [
      {
        kind: JOBS.fileImport,
        body: file,
        isUnderWay: async () =>
          (await instance.query(`SELECT FROM observations WHERE session_id IN (${gone}) LIMIT 1`, ['bench'])).length >
          0,
      },
    ]);
    if (imported === undefined) throw new Error('a job was begun');
    tell('import', service, imported);
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
    // Their vectors are made anew.
    await expectUnharmed(['embeddings']);
    await expectSameIndex(keep);
  });

  test('retention', async () => {
    watched();
    const { instance } = keep;
    const projects = await instance.query<{ id: string; n: number }>(
      "SELECT s.project_id AS id, count(*)::integer AS n FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = 'bench' GROUP BY 1 ORDER BY 1",
    );
    const [kept, ...expired] = projects;
    // Row by row, where a project keeps its rows of that month; else the month as a whole.
    const byMonth = service === 'postgres';
    const policy = { resource: 'observation', age_days: 1, action: 'delete' };
    const policies = byMonth ? [policy] : expired.map(({ id }) => ({ ...policy, project: id }));
    const wanted = OBSERVATIONS - (byMonth ? 0 : (kept?.n ?? 0));
    expect(await ask(instance, 'PUT', '/admin/retention/policies', { policies })).toMatchObject({ status: 200 });
    const dry = await done(instance, JOBS.retention, { dry_run: true });
    await expectUnharmed(['embeddings']);
    expect(await ask(instance, 'POST', `/admin/retention/runs/${dry.id}/approve`)).toMatchObject({ status: 200 });
    const [run] = await killedUnderWay(instance, service, [
      { kind: JOBS.retention, body: { dry_run: false }, isUnderWay: (row) => rowsOf(row) > 0 },
    ]);
    if (run === undefined) throw new Error('a job was begun');
    tell(byMonth ? 'retention of a month' : 'retention of rows', service, run);
    expect([rowsOf(dry), rowsOf(run.row)]).toEqual([wanted, wanted]);
    expect({ ...run.row, bytes: dry['bytes'] }).toEqual(run.row);
    const left = await instance.query<{ id: string; n: number }>(
      "SELECT s.project_id AS id, count(*)::integer AS n FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = 'bench' GROUP BY 1",
    );
    expect(left).toEqual(byMonth ? [] : [kept]);
    await expectSameIndex(keep);
    await expectNothingFound(keep);
  });

  test('a restore', async () => {
    watched();
    const { instance } = keep;
    const at = Math.floor(random() * PHASES.length);
    const [restored] = await killedUnderWay(instance, service, [
      {
        kind: JOBS.restore,
        body: { set, overwrite: true },
        isUnderWay: ({ phase }) => PHASES.some((name, n) => n >= at && name === phase),
      },
    ]);
    if (restored === undefined) throw new Error('a job was begun');
    tell(`restore (${PHASES[at] ?? ''})`, service, restored);
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
    await expectSameIndex(keep);
    await expectUnharmed();
    await expectNothingFound(keep);
    await expectWholeSets(keep.instance, keep.backups);
  });
});

describe('what is damaged is not taken', () => {
  test.each([
    ['manifest', (name: string) => name === 'manifest.json'],
    ['table', (name: string) => name.includes('tables/') && name.endsWith('.zst')],
    ['vectors', (name: string) => name.includes('vectors/') && name.endsWith('.zst')],
  ] as const)('one flipped bit of a set: %s', async (_what, isMeant) => {
    const { store, name } = flippedCopy(keep, set, isMeant, random);
    const access = localAccess(keep.instance.dataDir, {});
    if (access === null) throw new Error('no access to the instance');
    const request = {
      kind: 'restore',
      setId: set,
      address: store,
      signer: null,
      overwrite: false,
      dryRun: true,
    } as const;
    const row = await ended(keep.instance, JOBS.restore, (await requestRestore(access, request)) ?? '');
    expect({ name, ...row }).toMatchObject({ name, state: 'failed', error: 'BackupCorrupted' });
    await expectUnharmed();
  });

  test('one flipped bit of an export', async () => {
    const damaged = Buffer.from(file);
    flipBit(damaged, random);
    const row = await ended(keep.instance, JOBS.fileImport, (await begin(keep.instance, JOBS.fileImport, damaged)).id);
    expect(row).toMatchObject({ state: 'failed', error: 'ExportFileError', written: {} });
    await expectUnharmed();
  });
});

test.skipIf(!canBoundFiles())('a full disk ends a backup, which then is none, and nothing else', async () => {
  const { instance, backups, archive } = keep;
  const worker = instance.pid('worker');
  // What killed workers were writing goes after a day.
  const unfinished = (): string[][] =>
    [path.join(instance.dataDir, 'backups'), archive].map((folder) => readdirSync(path.join(folder, '.unfinished')));
  const before = unfinished();
  boundFiles(worker, FULL_BYTES);
  try {
    const { id } = await begin(instance, JOBS.backup);
    const events = smallSession('while-full');
    expect(await ask(instance, 'POST', '/events/batch', events)).toMatchObject({
      status: 202,
      body: { accepted: events.length },
    });
    expect(await ended(instance, JOBS.backup, id)).toMatchObject({
      state: 'failed',
      error: 'ArchiveFull',
      whole: false,
    });
    const { id: exporting } = await begin(instance, JOBS.export, { scope: 'tenant' });
    expect(await ended(instance, JOBS.export, exporting)).toMatchObject({ state: 'failed', error: 'ArchiveFull' });
    await expectWholeSets(instance, backups);
    await expectUnharmed();
  } finally {
    boundFiles(worker, null);
  }
  const backup = await done(instance, JOBS.backup);
  await expectVerified(instance, backup.id);
  await expectWholeSets(instance, backups);
  expect(unfinished()).toEqual(before);
});
