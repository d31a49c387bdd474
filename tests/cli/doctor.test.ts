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
import { TEMPORAL, WEAVIATE } from '../../infra/engines/pinned.ts';
import { findPostgresBinaries } from '../../infra/engines/postgres/binaries.ts';
import { cacheEntry } from '../../infra/engines/program-files.ts';
import { instanceLayout } from '../../infra/instance/layout.ts';
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
  const environment = { RECOLLECT_CACHE_DIR: path.join(folder, 'cache'), PATH: '/usr/bin:/bin' };
  const context = recordOutput(environment);
  expect(await doctor(path.join(folder, 'data'), context)).toBe(0);
  const lines = context
    .text()
    .split('\n')
    .filter((line) => /^(?:ok|warn|fail) /.test(line));
  expect(lines).toHaveLength(9);
  expect(context.text()).toMatch(/ok {4}engine postgres: npm package .*; starts and accepts connections/);
  const broken = recordOutput({ ...environment, RECOLLECT_WEAVIATE_SERVER: '/no/such' });
  expect(await doctor(path.join(folder, 'data'), broken)).toBe(1);
  expect(broken.text()).toContain('fail  engine weaviate: RECOLLECT_WEAVIATE_SERVER names /no/such');
});
