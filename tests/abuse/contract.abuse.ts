import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../config/process-environment.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import { demoHooks, replay, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { recordFigure } from './record-figure.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const environment = processEnvironment();
/** Fixed, so that runs are repeatable. */
const SEED = environment['RECOLLECT_SCHEMATHESIS_SEED'] ?? '1';

/** Report of Schemathesis. */
const reportSchema = z.looseObject({
  complete: z.boolean(),
  operations: z.looseObject({ total: z.number(), tested: z.number(), errored: z.number() }),
  phases: z.record(z.string(), z.looseObject({ status: z.string() })),
  test_cases: z.looseObject({ generated: z.number(), unique_failures: z.number(), errored: z.number() }),
  failures: z.array(z.looseObject({ title: z.string(), count: z.number(), operations: z.array(z.string()) })),
  errors: z.array(z.looseObject({ title: z.string() })),
});

/** Returns the fuzzer's command. @throws Error if it is not installed: an unchecked contract must not pass */
function fuzzer(): string {
  const named = environment['RECOLLECT_SCHEMATHESIS'];
  const places = (environment['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'schemathesis'));
  const found = (named === undefined ? places : [named]).find((file) => existsSync(file));
  if (found === undefined)
    throw new Error('schemathesis is not installed: see docs/testing.md; RECOLLECT_SCHEMATHESIS sets its command');
  return found;
}

/** Runs a command to its end; returns its output. @throws Error if it cannot be started */
function run(
  command: string,
  options: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, options, { env: { ...environment, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.once('error', reject);
    child.once('close', () => resolve(output.join('')));
  });
}

/** The fuzzer is one user that sends more requests than people do. */
const NO_LIMITS = { RECOLLECT_RATE_READ: '0', RECOLLECT_RATE_WRITE: '0', RECOLLECT_RATE_ADMIN: '0' };

let instance: TestInstance;
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-fuzzed-'));

beforeAll(async () => {
  const empty = mkdtempSync(path.join(folder, 'read-'));
  instance = await startTestInstance(
    {
      ...NO_LIMITS,
      RECOLLECT_TRANSCRIPT_ROOTS: empty,
      RECOLLECT_CLAUDE_MEM_ROOTS: empty,
      RECOLLECT_FULL_VALUES_DIR: path.join(folder, 'values'),
    },
    SCHEDULE_NAMES,
  );
  await instance.startWorker();
  // Rows of every kind, for GET requests to find.
  const hooks = demoHooks();
  await replay(instance, hooks);
  await settled(instance, `claude-code:${hooks[0]?.session_id ?? ''}`);
});

afterAll(async () => {
  await instance.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns the file of settings: with fewer examples a copy, since options of the command do not change those of a phase. */
function settingsFile(): string {
  const file = path.join(here, 'schemathesis.toml');
  if (EXAMPLES === '') return file;
  const copy = path.join(folder, 'schemathesis.toml');
  writeFileSync(copy, readFileSync(file, 'utf8').replaceAll(/^max-examples = \d+$/gm, `max-examples = ${EXAMPLES}`));
  return copy;
}

/** Operations that the settings exclude: they replace the database, end the key of the fuzzer, or never end. */
function excludedOperations(): number {
  const settings = readFileSync(path.join(here, 'schemathesis.toml'), 'utf8').split('[[operations]]');
  return settings
    .filter((block) => /^enabled = false$/m.test(block))
    .flatMap((block) => block.match(/"(?:GET|POST|PUT|DELETE) /g) ?? []).length;
}

const PHASES = ['examples', 'coverage', 'fuzzing', 'stateful'];
/** Examples per operation of the operator, and sequences of requests; empty: those of the settings. */
const EXAMPLES = environment['RECOLLECT_FUZZ_EXAMPLES'] ?? '';
/** For callers whose requests are mostly refused. */
const FEW_EXAMPLES = ['--max-examples=4'];

/** Each caller, with the phases of its run and its options. The first stores and finds rows of every kind. */
const CALLERS: readonly (readonly [string, () => Promise<string>, readonly string[], readonly string[]])[] = [
  [
    'the operator',
    () => Promise.resolve(instance.admin.key),
    PHASES,
    EXAMPLES === '' ? [] : [`--max-examples=${EXAMPLES}`],
  ],
  ['an admin', async () => (await instance.stranger({ role: 'admin' })).key, ['fuzzing'], FEW_EXAMPLES],
  ['a user', async () => (await instance.user()).key, ['fuzzing'], FEW_EXAMPLES],
  ['an agent', async () => (await instance.user({ scopes: ['capture'] })).key, ['fuzzing'], FEW_EXAMPLES],
  ['a viewer', async () => (await instance.user({ role: 'viewer' })).key, ['fuzzing'], FEW_EXAMPLES],
];
const total = { failures: 0, cases: 0 };

test.each(CALLERS)('the API conforms to its OpenAPI document for all generated requests of %s', async (...caller) => {
  const [name, keyOf, phases, options] = caller;
  const reports = path.join(folder, `reports-${name.replace(' ', '-')}`);
  const output = await run(
    fuzzer(),
    [
      `--config-file=${settingsFile()}`,
      'run',
      `${instance.url}/api/v1/openapi.json`,
      '--checks=all',
      `--phases=${phases.join(',')}`,
      ...options,
      `--seed=${SEED}`,
      '--generation-database=none',
      '--report=json',
      `--report-dir=${reports}`,
      '--no-color',
    ],
    {
      RECOLLECT_URL: instance.url,
      RECOLLECT_API_KEY: await keyOf(),
      RECOLLECT_SCHEMATHESIS_HOOKS: path.join(here, 'schemathesis_hooks.py'),
    },
  );
  const [file] = existsSync(reports) ? readdirSync(reports).filter((report) => report.endsWith('.json')) : [];
  if (file === undefined) throw new Error(`schemathesis ended without a report:\n${output}`);
  const report = reportSchema.parse(JSON.parse(readFileSync(path.join(reports, file), 'utf8')));
  total.failures += report.test_cases.unique_failures;
  total.cases += report.test_cases.generated;
  recordFigure('schemathesis_failures', total.failures);
  recordFigure('schemathesis_cases', total.cases);
  if (report.test_cases.unique_failures > 0 || report.errors.length > 0) process.stderr.write(output);
  expect(report.failures).toEqual([]);
  expect(report.errors).toEqual([]);
  expect(report.complete).toBe(true);
  expect(report.operations.tested).toBe(report.operations.total - excludedOperations());
  // The examples phase is empty without examples in the document.
  expect(Object.fromEntries(phases.map((phase) => [phase, report.phases[phase]?.status]))).toEqual(
    Object.fromEntries(phases.map((phase) => [phase, phase === 'examples' ? 'skip' : 'success'])),
  );
});
