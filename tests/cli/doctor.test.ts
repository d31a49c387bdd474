import { chmodSync, existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { doctor } from '../../cli/commands/instance/doctor.ts';
import type { Finding } from '../../cli/doctor/machine.ts';
import { checkEngine, checkPostgres } from '../../cli/doctor/engines.ts';
import {
  checkCredentialFiles,
  checkDataDirectory,
  checkDiskSpace,
  checkNode,
  checkModelFiles,
  checkPorts,
} from '../../cli/doctor/machine.ts';
import { checkModels } from '../../cli/doctor/models.ts';
import { TEMPORAL, WEAVIATE } from '../../infra/engines/pinned.ts';
import { findPostgresBinaries } from '../../infra/engines/postgres/binaries.ts';
import { cacheEntry } from '../../infra/engines/program-files.ts';
import { prepareDataDirectory } from '../../infra/instance/instance.ts';
import { instanceLayout } from '../../infra/instance/layout.ts';
import { copyDatabases, removeCopy } from '../../infra/instance/upgrade-copy.ts';
import { stampProgram, thisProgram } from '../../infra/instance/version-stamp.ts';
import { VERSION } from '../../config/version.ts';
import { DEFAULT_PRESET } from '../../domain/embedding-presets.ts';
import { stampedProgram } from '../infra/support/engine.ts';
import { serve } from '../infra/support/file-server.ts';
import { testFolder } from '../infra/support/folder.ts';
import { recordOutput } from './support/output.ts';

const GIBIBYTE = 1024 ** 3;

test('requires a Node that runs TypeScript and hashes passwords', () => {
  expect(
    [checkNode('24.7.0'), checkNode('25.1.0'), checkNode('24.6.9'), checkNode('22.18.0')].map(
      (finding) => finding.result,
    ),
  ).toEqual(['ok', 'ok', 'fail', 'fail']);
});

function judge(bytes: number): Finding {
  return checkDiskSpace('/not/there/yet', () => bytes);
}

test('judges disk space by the free bytes', () => {
  expect(judge(10 * GIBIBYTE)).toMatchObject({ result: 'ok', text: '10.0 GiB free' });
  expect(judge(2 * GIBIBYTE).result).toBe('warn');
  expect(judge(0.1 * GIBIBYTE)).toMatchObject({ result: 'fail', advice: expect.stringContaining('0.5 GiB') });
  expect(checkDiskSpace(testFolder()).text).toMatch(/^\d+\.\d GiB free$/);
});

test('accepts a missing data directory, rejects a newer or damaged one', () => {
  const layout = instanceLayout(path.join(testFolder(), 'data'));
  expect(checkDataDirectory(layout)).toMatchObject({ result: 'ok', text: `${layout.dataDir} will be created` });
  mkdirSync(layout.dataDir);
  writeFileSync(layout.versionFile, '{"layout":99,"createdAt":"later"}');
  expect(checkDataDirectory(layout)).toMatchObject({
    result: 'fail',
    advice: 'Use that version or another --data-dir.',
  });
  writeFileSync(layout.versionFile, '{');
  expect(checkDataDirectory(layout).result).toBe('fail');
});

test('names an upgrade that failed and one that is not complete, and what continues them', async () => {
  const layout = prepareDataDirectory(testFolder());
  const older = { ...thisProgram(), version: '0.0.9' };
  const stamp = (failedUpgrade: typeof older): void =>
    writeFileSync(layout.versionFile, JSON.stringify({ layout: 1, createdAt: '', program: older, failedUpgrade }));
  stamp(thisProgram());
  expect(checkDataDirectory(layout)).toEqual({
    result: 'fail',
    what: 'upgrade',
    text: `The upgrade of this data directory to ${VERSION} failed and was undone.`,
    advice: `Run recollect upgrade to try it again, or use version 0.0.9. ${layout.logs} has the logs of its start.`,
  });
  await copyDatabases(layout);
  expect(checkDataDirectory(layout)).toMatchObject({
    result: 'warn',
    text: `The upgrade of ${layout.dataDir} from 0.0.9 is not complete.`,
    advice: 'Unless it runs, recollect upgrade continues it.',
  });
  await removeCopy(layout);
  stamp({ ...older, version: '999.0.0' });
  expect(checkDataDirectory(layout)).toMatchObject({
    result: 'warn',
    text: 'The upgrade of this data directory to 999.0.0 failed and was undone.',
    advice: expect.stringContaining('Run recollect upgrade of 999.0.0 or newer to try it again.'),
  });
  stampProgram(layout.versionFile);
  expect(checkDataDirectory(layout).result).toBe('warn');
  stamp({ ...older, version: '0.0.10' });
  stampProgram(layout.versionFile);
  expect(checkDataDirectory(layout).result).toBe('ok');
});

test('names secrets that other users can read, and the command that closes them', () => {
  const layout = instanceLayout(testFolder());
  expect(checkCredentialFiles(layout).result).toBe('ok');
  writeFileSync(layout.secretsFile, '{}');
  chmodSync(layout.secretsFile, 0o640);
  expect(checkCredentialFiles(layout)).toMatchObject({ result: 'warn', advice: `chmod 600 ${layout.secretsFile}` });
});

test('names the found engine, or how to get it', async () => {
  const folder = testFolder();
  const options = { cacheDir: path.join(folder, 'cache'), environment: { PATH: path.join(folder, 'bin') } };
  expect(await checkEngine(WEAVIATE, options)).toMatchObject({
    result: 'warn',
    advice: expect.stringContaining('install Go'),
  });
  stampedProgram(path.join(folder, 'bin', 'go'), 'any');
  expect((await checkEngine(WEAVIATE, options)).text).toContain(`builds it with ${path.join(folder, 'bin', 'go')}`);
  const program = path.join(cacheEntry(options.cacheDir, WEAVIATE, process.platform, process.arch), 'weaviate-server');
  stampedProgram(program, 'any');
  expect(await checkEngine(WEAVIATE, options)).toEqual({
    result: 'ok',
    what: 'engine weaviate',
    text: `1.35.2: cache ${program}`,
  });
  const wrong = { ...options, environment: { RECOLLECT_TEMPORAL_SERVER: '/no/such' } };
  expect(await checkEngine(TEMPORAL, wrong)).toMatchObject({
    result: 'fail',
    text: expect.stringContaining('RECOLLECT_TEMPORAL_SERVER names /no/such'),
  });
});

test('fails with PostgreSQL’s message if it cannot start', async () => {
  const folder = testFolder();
  const layout = instanceLayout(path.join(folder, 'data'));
  const program = (name: string, script: string): string => {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path.join(folder, name);
  };
  const words = 'postgres: error while loading shared libraries: libicu.so: cannot open shared object file';
  const initdb = program('initdb', `echo '${words}' >&2; exit 127`);
  const environment = { PATH: '/usr/bin:/bin' };
  expect(
    await checkPostgres(layout, environment, () => Promise.resolve({ initdb, postgres: initdb, environment: {} })),
  ).toMatchObject({
    result: 'fail',
    text: expect.stringContaining(words),
  });
  const works = await findPostgresBinaries();
  const postgres = program('postgres', "echo 'could not create shared memory segment'; exit 1");
  expect(await checkPostgres(layout, environment, () => Promise.resolve({ ...works, postgres }))).toMatchObject({
    result: 'fail',
    text: expect.stringContaining('could not create shared memory segment'),
  });
  expect(existsSync(layout.dataDir)).toBe(false);
});

test('names a saved port that another program uses', async () => {
  const layout = instanceLayout(testFolder());
  const url = await serve(() => undefined);
  const port = Number(new URL(url).port);
  mkdirSync(layout.run, { recursive: true });
  writeFileSync(layout.portsFile, JSON.stringify({ weaviateGrpc: port }));
  expect(await checkPorts(layout)).toMatchObject({
    result: 'warn',
    text: expect.stringContaining(`weaviateGrpc ${port}`),
  });
});

test('accepts complete model files only', () => {
  const cacheDir = testFolder();
  const folder = path.join(cacheDir, 'models', DEFAULT_PRESET.name);
  expect(checkModelFiles(cacheDir, {})).toMatchObject({
    result: 'warn',
    text: `model_quantized.onnx and tokenizer.json missing in ${folder}`,
  });
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of Object.values(DEFAULT_PRESET.files)) {
    writeFileSync(path.join(folder, name), '');
    truncateSync(path.join(folder, name), bytes);
  }
  expect(checkModelFiles(cacheDir, {})).toMatchObject({ result: 'ok', text: folder });
  truncateSync(path.join(folder, 'tokenizer.json'), 5);
  expect(checkModelFiles('/elsewhere', { RECOLLECT_EMBEDDING_MODEL_DIR: folder }).text).toBe(
    `tokenizer.json missing in ${folder}`,
  );
});

test('doctor prints one line per check, and its exit code reports whether a start can work', async () => {
  const folder = testFolder();
  const environment = { RECOLLECT_CACHE_DIR: path.join(folder, 'cache'), PATH: '/usr/bin:/bin', HOME: folder };
  const context = recordOutput(environment);
  expect(await doctor(path.join(folder, 'data'), context)).toBe(0);
  const lines = context
    .text()
    .split('\n')
    .filter((line) => /^(?:ok|warn|fail) /.test(line));
  expect(lines).toHaveLength(12);
  expect(context.text()).toMatch(/ok {4}engine postgres: npm package .*; starts and accepts connections/);
  const broken = recordOutput({ ...environment, RECOLLECT_WEAVIATE_SERVER: '/no/such' });
  expect(await doctor(path.join(folder, 'data'), broken)).toBe(1);
  expect(broken.text()).toContain('fail  engine weaviate: RECOLLECT_WEAVIATE_SERVER names /no/such');
});

test('names the providers of models in order, and what each of them lacks', async () => {
  expect(await checkModels({})).toEqual([
    { result: 'ok', what: 'model providers', text: 'local' },
    { result: 'ok', what: 'provider local', text: 'on this machine' },
  ]);
  const environment = {
    RECOLLECT_MODEL_PROVIDER: 'anthropic,openai,local',
    RECOLLECT_SMALL_MODEL_PROVIDER: 'openai',
    RECOLLECT_OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
    RECOLLECT_OPENAI_LARGE_MODEL: 'qwen3:14b',
  };
  const found = await checkModels(environment);
  expect(found).toMatchObject([
    { result: 'ok', text: 'anthropic, then openai, then local; small windows: openai' },
    { result: 'fail', what: 'provider anthropic', advice: 'Set ANTHROPIC_API_KEY.' },
    { result: 'ok', what: 'provider openai', text: 'qwen3:14b at http://127.0.0.1:11434' },
    { result: 'ok', what: 'provider local' },
  ]);
  const key = await checkModels({ ...environment, ANTHROPIC_API_KEY: 'sk-secret' });
  expect(key[1]).toMatchObject({ result: 'ok', what: 'provider anthropic' });
  expect(JSON.stringify([found, key])).not.toContain('secret');
  const address = { RECOLLECT_OPENAI_BASE_URL: 'http://user:secret@127.0.0.1:11434/v1' };
  expect(await checkModels({ ...environment, ...address })).toMatchObject([
    { result: 'fail', text: 'RECOLLECT_OPENAI_BASE_URL cannot be used' },
  ]);
  expect(await checkModels({ RECOLLECT_MODEL_PROVIDER: 'openai' })).toMatchObject([{}, { result: 'fail' }]);
  expect(await checkModels({ RECOLLECT_MODEL_PROVIDER: 'hunter2' })).toMatchObject([
    { result: 'fail', text: 'RECOLLECT_MODEL_PROVIDER cannot be used' },
  ]);
});

test.each([
  ['2.1.330', 0, 'ok', 'Claude Code 2.1.330, for the sessions of this machine’s user'],
  ['3.0.0', 1, 'warn', 'Claude Code 3.0.0, not logged in'],
  ['2.1.168', 0, 'warn', 'Claude Code 2.1.168'],
  ['no version', 0, 'warn', 'does not run'],
])('judges the program of claude-cli with version %s and status %s', async (version, status, result, text) => {
  const program = path.join(testFolder(), 'claude');
  writeFileSync(program, `#!/bin/sh\n[ "$1" = --version ] && echo "${version} (Claude Code)" || exit ${status}\n`);
  chmodSync(program, 0o755);
  const [, found] = await checkModels({
    RECOLLECT_MODEL_PROVIDER: 'claude-cli',
    RECOLLECT_CLAUDE_CLI_COMMAND: program,
    PATH: '/usr/bin:/bin',
  });
  expect(found).toMatchObject({ result, text: expect.stringContaining(text) });
});
