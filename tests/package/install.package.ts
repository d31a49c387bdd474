import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { VERSION } from '../../config/version.ts';
import { testFolder } from '../infra/support/folder.ts';
import { OTHER_USER, runInstalled } from './support/run-installed.ts';

const MAX_BYTES = 4_000_000;
const ROOT = path.resolve(import.meta.dirname, '..', '..');
const installed = inject('installed');
const cache = inject('packageCache');
const demoSeconds = 120;

/** Returns a new home folder of the user that runs the package. */
function emptyHome(): string {
  const made = spawnSync('mktemp', ['-d', '-p', inject('packageScratch')], { encoding: 'utf8', ...OTHER_USER });
  return made.stdout.trim();
}

test('packs what runs and is read, without sources, tests and maps, in at most 4 MB', () => {
  const { stdout } = spawnSync('tar', ['tzf', inject('tarball')], { encoding: 'utf8', maxBuffer: 1e8 });
  const names = stdout.trim().split('\n');
  expect(
    names.filter((name) => /(?<!\.d)\.tsx?$|\.map$|\.png$|^package\/(?:tests|node_modules|\.)/.test(name)),
  ).toEqual([]);
  expect(names).toEqual(
    expect.arrayContaining(
      ['cli/bin.mjs', 'cli/main.js', 'hook/built/client.cjs', 'npm-shrinkwrap.json', 'CHANGELOG.md', 'LICENSE'].map(
        (name) => `package/${name}`,
      ),
    ),
  );
  expect(statSync(inject('tarball')).size).toBeLessThan(MAX_BYTES);
});

test('declares the versions of the lock, a Node, and no scripts', () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
  const manifest = z
    .looseObject({ dependencies: z.record(z.string(), z.string()) })
    .parse(read(path.join(installed, 'package.json')));
  expect(manifest).toMatchObject({ name: 'recollect', version: VERSION, engines: { node: '>=24.7' } });
  for (const absent of ['private', 'scripts', 'devDependencies']) expect(manifest).not.toHaveProperty(absent);
  const lockSchema = z.object({
    packages: z.record(z.string(), z.looseObject({ version: z.string(), integrity: z.string().optional() })),
  });
  const [own, shipped] = [path.join(ROOT, 'package-lock.json'), path.join(installed, 'npm-shrinkwrap.json')].map(
    (file) => lockSchema.parse(read(file)).packages,
  );
  for (const [place, { version, integrity }] of Object.entries(shipped ?? {}).filter(([place]) => place !== ''))
    expect({ place, ...own?.[place] }).toMatchObject({ place, version, integrity });
  for (const name of Object.keys(manifest.dependencies)) expect(shipped).toHaveProperty([`node_modules/${name}`]);
});

test('the demo runs as another user, with blocked scripts and a read-only package, and leaves an empty home', async () => {
  const home = emptyHome();
  const dataDir = path.join(emptyHome(), 'data');
  expect(await runInstalled(installed, { home, cache }, '--version')).toEqual({ exitCode: 0, output: `${VERSION}\n` });
  const doctor = await runInstalled(installed, { home, cache }, 'doctor', '--data-dir', dataDir);
  expect(doctor.output).toContain('starts and accepts connections');
  expect(doctor.exitCode).toBe(0);
  const startedAt = performance.now();
  const demo = await runInstalled(installed, { home, cache }, 'demo', '--data-dir', dataDir);
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(demo).toMatchObject({ exitCode: 0, output: expect.stringContaining(`recollect up --data-dir ${dataDir}`) });
  expect(readdirSync(home, { recursive: true })).toEqual([]);
  process.stdout.write(
    `${JSON.stringify({ tarball_bytes: statSync(inject('tarball')).size, install_s: inject('installSeconds'), demo_s: seconds })}\n`,
  );
  expect(inject('installSeconds') + seconds).toBeLessThan(demoSeconds);

  const connected = await runInstalled(
    installed,
    { home, cache },
    'install',
    'claude-code',
    '--data-dir',
    dataDir,
    '--no-check',
  );
  expect(connected).toMatchObject({ exitCode: 0 });
  const settings = readFileSync(path.join(home, '.claude', 'settings.json'), 'utf8');
  expect(settings).toContain(path.join(dataDir, 'client', VERSION, 'client.cjs'));
  expect(settings).not.toContain('node_modules/recollect');
});

test('a project imports the typed client with its types', () => {
  const project = testFolder();
  mkdirSync(path.join(project, 'node_modules'));
  symlinkSync(installed, path.join(project, 'node_modules', 'recollect'));
  writeFileSync(path.join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(
    path.join(project, 'use.ts'),
    `import { RecollectClient } from 'recollect/client';\nconst client = new RecollectClient({ url: 'http://127.0.0.1:1', apiKey: 'k' });\nexport const search: (q: string) => Promise<unknown> = (q) => client.search(q);\n`,
  );
  const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
  const flags = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,dom', '--types', ''];
  expect(spawnSync(tsc, [...flags, 'use.ts'], { cwd: project, encoding: 'utf8' })).toMatchObject({
    status: 0,
    stdout: '',
  });
  expect(existsSync(path.join(project, 'use.js'))).toBe(true);
  const ran = spawnSync(process.execPath, ['use.js'], { cwd: project, encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
});
