import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { readCredentials } from '../../cli/server/access.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { VERSION } from '../../config/version.ts';
import { backupsSchema } from '../../contract/backups.ts';
import { instanceLayout } from '../../infra/instance/layout.ts';
import { readSavedPorts } from '../../infra/instance/ports.ts';
import { readOrCreateSecrets } from '../../infra/instance/secrets.ts';
import { copiedProgram } from '../../infra/instance/upgrade-copy.ts';
import { readVersionStamp } from '../../infra/instance/version-stamp.ts';
import { readState } from '../../infra/supervisor/state.ts';
import type { SupervisorState } from '../../infra/supervisor/state.ts';
import { connected } from '../../stores/postgres/connection/connected.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { untilTrue } from '../setup/until.ts';
import { packageVariant } from './support/package-variant.ts';
import { OTHER_USER, runInstalled, startInstalled } from './support/run-installed.ts';
import type { Run, StartedProgram } from './support/run-installed.ts';

const OLDER = '0.0.9';
const MEMORY = 'Releases are cut on Tuesdays.';
const MIGRATION = 'prisma/migrations/9999_comment/migration.sql';
const COMMENT = "COMMENT ON TABLE sessions IS 'migrated';\n";
const WORKER = 'workers/main.js';

const folder = longLivedFolder();
chmodSync(folder, 0o755);
const older = path.join(folder, 'older');
const newer = path.join(folder, 'newer');
packageVariant(older, OLDER);
packageVariant(newer, VERSION, { [MIGRATION]: `${COMMENT}SELECT pg_sleep(3600);\n` });

const scratch = spawnSync('mktemp', ['-d', '-p', inject('packageScratch')], { encoding: 'utf8', ...OTHER_USER });
const home = scratch.stdout.trim();
const layout = instanceLayout(path.join(home, 'data'));
const places = { home, cache: inject('packageCache') };
const words = (command: readonly string[]): string[] => [...command, '--data-dir', layout.dataDir];
const run = (program: string, ...command: string[]): Promise<Run> => runInstalled(program, places, ...words(command));

/** Starts the upgrade to the newer version. It is over when `ended` resolves. */
const upgrade = (...options: string[]): StartedProgram =>
  startInstalled(newer, places, ...words(['upgrade', '--yes', ...options]));

const copies = (): string[] => readdirSync(layout.dataDir).filter((name) => name.startsWith('before-upgrade'));
const pidOf = (name: string): number => readState(layout.stateFile)?.nodes[name]?.process?.pid ?? -1;
const stampedVersion = (): string | undefined => readVersionStamp(layout.versionFile)?.program?.version;

/** Awaits a state of the instance while the upgrade runs. */
const reaches = ({ child, output }: StartedProgram, isThere: (state: SupervisorState) => boolean): Promise<void> =>
  untilTrue(
    () => {
      if (child.exitCode !== null) throw new Error(`the upgrade ended:\n${output()}`);
      const state = readState(layout.stateFile);
      return Promise.resolve(state !== null && isThere(state));
    },
    60_000,
    () => Promise.resolve(`a step of the upgrade:\n${output()}`),
  );
const reachesStop = (program: StartedProgram): Promise<void> => reaches(program, ({ phase }) => phase === 'stopping');

/** Awaits the statement of the migration that does not end. */
async function reachesMigration(program: StartedProgram): Promise<void> {
  await reaches(program, ({ nodes }) => nodes['database']?.status === 'starting');
  const password = readOrCreateSecrets(layout.secretsFile).postgresSuperuser;
  const server = { host: '127.0.0.1', port: readSavedPorts(layout.portsFile).postgres, user: 'postgres', password };
  await connected({ ...server, database: 'postgres' }, (client) =>
    untilTrue(async () => {
      const sleeping = await client.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      return sleeping.rowCount === 1;
    }, 60_000),
  );
}

/** Awaits the start of a worker that does not become ready. */
const reachesTrialStart = (program: StartedProgram): Promise<void> =>
  reaches(program, ({ nodes }) => nodes['worker']?.status === 'starting' && pidOf('worker') > 0);

/** Sends a signal to a process and resolves once the upgrade has ended. */
async function interrupt(program: StartedProgram, signal: NodeJS.Signals): Promise<Run> {
  program.child.kill(signal);
  return { exitCode: (await program.ended) ?? -1, output: program.output() };
}

/** Returns what an interrupted upgrade printed last, and what it left. */
async function leftBy({ exitCode, output }: Run) {
  const { output: found } = await run(older, 'search', 'when are releases cut?');
  const lines = output.trim().split('\n').slice(-3);
  return { exitCode, lines, version: stampedVersion(), copies: copies(), isRemembered: found.includes('Tuesdays') };
}

const UNCHANGED = { exitCode: 130, version: OLDER, copies: [], isRemembered: true };
const WENT_BACK = {
  ...UNCHANGED,
  lines: [
    'interrupted',
    `Version ${VERSION} did not start: the data are those of ${OLDER} again.`,
    `Version ${OLDER} runs again.`,
  ],
};

afterAll(async () => void (await run(newer, 'down')));

test('the older version runs, with a memory', async () => {
  expect(await run(older, 'up', '--detach')).toMatchObject({ exitCode: 0 });
  expect(await run(older, 'remember', MEMORY, '--project', 'tally')).toMatchObject({ exitCode: 0 });
});

test('SIGINT, SIGTERM and SIGKILL during the backup change nothing, and request one backup', async () => {
  const worker = pidOf('worker');
  const server = new ServerClient({ ...readCredentials(layout.credentialsFile), timeoutMs: 10_000 });
  const states = async (): Promise<string[]> =>
    (await server.get('/admin/backups', backupsSchema)).data.map(({ state }) => state);
  // Nothing completes the backup.
  process.kill(worker, 'SIGSTOP');
  try {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
      const program = upgrade();
      await untilTrue(() => Promise.resolve(program.output().includes('Creating a backup …')), 30_000);
      await untilTrue(async () => (await states()).length > 0, 30_000);
      const { exitCode, output } = await interrupt(program, signal);
      const isKilled = signal === 'SIGKILL';
      expect(program.child.signalCode).toBe(isKilled ? signal : null);
      expect([exitCode, output.includes('Interrupted; nothing was changed.')]).toEqual([
        isKilled ? -1 : 130,
        !isKilled,
      ]);
    }
    expect(await states()).toEqual(['running']);
  } finally {
    process.kill(worker, 'SIGCONT');
  }
  expect(pidOf('worker')).toBe(worker);
  const next = upgrade();
  await reachesStop(next);
  expect(next.output()).toMatch(/Backup \S+ was created\./);
  expect((await interrupt(next, 'SIGINT')).exitCode).toBe(130);
});

test('SIGTERM during the stop starts the older version again', async () => {
  const program = upgrade('--no-backup');
  await reachesStop(program);
  const left = await leftBy(await interrupt(program, 'SIGTERM'));
  expect(left).toMatchObject(UNCHANGED);
  expect(left.lines.slice(1)).toEqual([`Version ${OLDER} runs again.`, 'Interrupted; nothing was changed.']);
});

test('SIGKILL during the stop changes nothing; the next upgrade, interrupted by SIGINT during the migration, starts the older version again', async () => {
  const program = upgrade('--no-backup');
  await reachesStop(program);
  await interrupt(program, 'SIGKILL');
  await untilTrue(() => Promise.resolve(readState(layout.stateFile)?.phase === 'stopped'), 60_000);
  expect(stampedVersion()).toBe(OLDER);
  const next = upgrade();
  await reachesMigration(next);
  expect(await leftBy(await interrupt(next, 'SIGINT'))).toEqual(WENT_BACK);
});

test('SIGTERM during the migration goes back', async () => {
  const program = upgrade('--no-backup');
  await reachesMigration(program);
  expect(await leftBy(await interrupt(program, 'SIGTERM'))).toEqual(WENT_BACK);
});

test('SIGKILL of the upgrade and its start during the migration leaves the copy, with which the next upgrade continues until SIGTERM during its trial start', async () => {
  const program = upgrade('--no-backup');
  await reachesMigration(program);
  await interrupt(program, 'SIGKILL');
  expect(copiedProgram(layout)?.version).toBe(OLDER);
  // The start survives the upgrade.
  expect((await run(newer, 'up')).output).toContain('already is starting');
  process.kill(readState(layout.stateFile)?.supervisor.pid ?? -1, 'SIGKILL');
  expect((await run(older, 'up')).output).toContain('written by a newer version');
  expect((await run(newer, 'doctor')).output).toContain(
    `The upgrade of ${layout.dataDir} from ${OLDER} is not complete.`,
  );
  writeFileSync(path.join(newer, MIGRATION), COMMENT);
  writeFileSync(path.join(newer, WORKER), 'setInterval(() => undefined, 3_600_000);\n');
  const next = upgrade();
  await reachesTrialStart(next);
  expect(next.output()).toContain(`An upgrade of ${OLDER} was interrupted; it continues.`);
  expect(await leftBy(await interrupt(next, 'SIGTERM'))).toEqual(WENT_BACK);
});

test('SIGKILL during the trial start leaves the copy, with which the next upgrade completes', async () => {
  const program = upgrade('--no-backup');
  await reachesTrialStart(program);
  await interrupt(program, 'SIGKILL');
  expect(copiedProgram(layout)?.version).toBe(OLDER);
  const working = readFileSync(path.join(older, WORKER), 'utf8');
  writeFileSync(path.join(newer, WORKER), working);
  const next = upgrade();
  expect(await next.ended).toBe(0);
  expect(next.output()).toContain(`An upgrade of ${OLDER} was interrupted; it continues.`);
  expect(next.output()).toContain(`Upgraded to ${VERSION}.`);
  expect(stampedVersion()).toBe(VERSION);
  expect(copies()).toEqual([]);
  expect((await run(newer, 'search', 'when are releases cut?')).output).toContain('Tuesdays');
});
