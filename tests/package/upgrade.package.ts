import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { VERSION } from '../../config/version.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { packageVariant } from './support/package-variant.ts';
import { OTHER_USER, runInstalled } from './support/run-installed.ts';
import type { Run } from './support/run-installed.ts';

const OLDER = '0.0.9';
const NEWER = '999.0.0';
const MEMORY = 'Releases are cut on Tuesdays.';
const folder = longLivedFolder();
chmodSync(folder, 0o755);
const scratch = spawnSync('mktemp', ['-d', '-p', inject('packageScratch')], { encoding: 'utf8', ...OTHER_USER });
const home = scratch.stdout.trim();
const dataDir = path.join(home, 'data');

/** Returns a folder with another version of the installed package. */
function variant(version: string, changed: Readonly<Record<string, string>> = {}): string {
  const copy = path.join(folder, `${version}-${Object.keys(changed).length}`);
  packageVariant(copy, version, changed);
  return copy;
}

const older = variant(OLDER);
const broken = variant(VERSION, { 'api/main.js': `throw new Error('this version does not start');\n` });

/** systemctl, whose service is a process. */
const MANAGER = `#!/bin/sh
case " $* " in
  *" enable "*)
    exec setsid sh -c "echo \\$\\$ > '$HOME/service.pid'; exec $(sed -n 's/^ExecStart=//p' "$HOME/.config/systemd/user/recollect.service")" </dev/null >/dev/null 2>&1 &;;
  *" stop "*) kill "$(cat "$HOME/service.pid")";;
  *" is-active "*) kill -0 "$(cat "$HOME/service.pid")" 2>/dev/null;;
esac
`;
const programs = path.join(folder, 'programs');
mkdirSync(programs);
writeFileSync(path.join(programs, 'systemctl'), MANAGER, { mode: 0o755 });

const run = (program: string, ...words: readonly string[]): Promise<Run> =>
  runInstalled(program, { home, programs, cache: inject('packageCache') }, ...words, '--data-dir', dataDir);
const stampSchema = z.object({ program: z.object({ version: z.string() }) });
const stampedVersion = (): string =>
  stampSchema.parse(JSON.parse(readFileSync(path.join(dataDir, 'version.json'), 'utf8'))).program.version;

afterAll(async () => void (await run(inject('installed'), 'down')));

test('reports that there is no instance', async () => {
  expect(await run(inject('installed'), 'upgrade', '--yes')).toMatchObject({
    exitCode: 3,
    output: expect.stringContaining('There is no instance'),
  });
});

test('changes nothing if no backup can be created', async () => {
  expect(await run(older, 'up', '--detach')).toMatchObject({ exitCode: 0 });
  const credentials = path.join(dataDir, 'credentials.json');
  const text = readFileSync(credentials, 'utf8');
  writeFileSync(credentials, text.replace(/"api_key": "[^"]*"/, '"api_key": "rcl_a-key-that-opens-nothing"'));
  expect(await run(broken, 'upgrade', '--yes')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('No backup was created; nothing was changed.'),
  });
  writeFileSync(credentials, text);
  expect((await run(older, 'status')).exitCode).toBe(0);
});

test('goes back to the older version and its data if the newer one does not start', async () => {
  expect(await run(older, 'remember', MEMORY, '--project', 'tally')).toMatchObject({ exitCode: 0 });
  expect(await run(broken, 'upgrade')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('Nothing was changed. Pass --yes'),
  });
  const { exitCode, output } = await run(broken, 'upgrade', '--yes');
  expect(output).toContain(`Version ${VERSION} did not start: the data are those of ${OLDER} again.`);
  expect(output).toContain(`Version ${OLDER} runs again.`);
  expect(exitCode).toBe(1);
  expect(stampedVersion()).toBe(OLDER);
  expect((await run(older, 'status')).exitCode).toBe(0);
  expect((await run(older, 'search', 'when are releases cut?')).output).toContain('Tuesdays');
  expect((await run(older, 'down')).exitCode).toBe(0);
  expect(await run(broken, 'up', '--detach')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining(`The upgrade of this data directory to ${VERSION} failed and was undone.`),
  });
  expect(stampedVersion()).toBe(OLDER);
});

test('continues an upgrade that was killed after its copy, goes back, and leaves the older version to its service', async () => {
  expect(await run(older, 'service', 'install')).toMatchObject({ exitCode: 0 });
  await expect.poll(async () => (await run(older, 'status')).exitCode, { timeout: 60_000 }).toBe(0);
  expect((await run(older, 'down')).exitCode).toBe(0);
  const unit = path.join(home, '.config', 'systemd', 'user', 'recollect.service');
  const text = readFileSync(unit, 'utf8');
  const copied = ['version.json', 'postgres', 'temporal', 'weaviate'].map((name) => path.join(dataDir, name));
  spawnSync('mkdir', [path.join(dataDir, 'before-upgrade')], OTHER_USER ?? {});
  spawnSync('cp', ['-a', ...copied, path.join(dataDir, 'before-upgrade')], OTHER_USER ?? {});
  const versionFile = path.join(dataDir, 'version.json');
  writeFileSync(
    versionFile,
    readFileSync(versionFile, 'utf8').replace(`"version":"${OLDER}"`, `"version":"${VERSION}"`),
  );
  expect(stampedVersion()).toBe(VERSION);
  const { exitCode, output } = await run(broken, 'upgrade', '--yes');
  expect(output).toContain(`An upgrade of ${OLDER} was interrupted; it continues.`);
  expect(output).toContain(`Version ${VERSION} did not start: the data are those of ${OLDER} again.`);
  expect(output).toContain(`Version ${OLDER} runs again.`);
  expect(exitCode).toBe(1);
  expect(readFileSync(unit, 'utf8')).toBe(text);
  expect((await run(older, 'service', 'status')).exitCode).toBe(0);
  expect((await run(older, 'status')).exitCode).toBe(0);
  expect(stampedVersion()).toBe(OLDER);
  expect(existsSync(path.join(dataDir, 'before-upgrade'))).toBe(false);
});

test('shows what is new, moves the data to the newer version, which the service then runs, and the older one refuses them', async () => {
  const dry = await run(inject('installed'), 'upgrade', '--dry-run');
  expect(dry).toMatchObject({ exitCode: 0, output: expect.stringContaining(`From ${OLDER} to ${VERSION}:`) });
  expect(dry.output).toContain('The first version: a self-hosted memory server');
  expect(stampedVersion()).toBe(OLDER);
  expect(await run(older, 'install', 'claude-code', '--no-check')).toMatchObject({ exitCode: 0 });
  const { exitCode, output } = await run(inject('installed'), 'upgrade', '--yes');
  expect(output).toMatch(/Backup \S+ was created\./);
  expect(output).toContain(`Upgraded to ${VERSION}.`);
  expect(existsSync(path.join(dataDir, 'before-upgrade'))).toBe(false);
  expect(output).toContain(`Agents run the hook client of ${OLDER}`);
  expect(exitCode).toBe(0);
  expect(stampedVersion()).toBe(VERSION);
  expect(output).toContain('The service runs it again.');
  expect((await run(inject('installed'), 'status')).exitCode).toBe(0);
  expect(await run(inject('installed'), 'service', 'status')).toMatchObject({ exitCode: 0 });
  expect((await run(inject('installed'), 'search', 'when are releases cut?')).output).toContain('Tuesdays');
  expect(await run(inject('installed'), 'upgrade')).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('Nothing to do'),
  });
  expect((await run(inject('installed'), 'down')).exitCode).toBe(0);
  for (const command of ['up', 'doctor', 'upgrade'])
    expect(await run(older, command)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`written by a newer version (Recollect ${VERSION}, this is ${OLDER})`),
    });
});

test('upgrades an instance that does not run in the background without a backup, and stops it again', async () => {
  const newer = variant(NEWER);
  const { exitCode, output } = await run(newer, 'upgrade', '--yes');
  expect(output).toContain(`Upgraded to ${NEWER}.\n`);
  expect(output).not.toContain('Backup');
  expect(exitCode).toBe(0);
  expect(stampedVersion()).toBe(NEWER);
  expect(existsSync(path.join(dataDir, 'before-upgrade'))).toBe(false);
  expect((await run(newer, 'status')).exitCode).toBe(3);
});
