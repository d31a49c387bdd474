import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

test('the API conforms to its OpenAPI document for all generated requests', async () => {
  const reports = path.join(folder, 'reports');
  const output = await run(
    fuzzer(),
    [
      `--config-file=${path.join(here, 'schemathesis.toml')}`,
      'run',
      `${instance.url}/api/v1/openapi.json`,
      '--checks=all',
      '--phases=examples,coverage,fuzzing,stateful',
      `--seed=${SEED}`,
      '--generation-database=none',
      '--report=json',
      `--report-dir=${reports}`,
      '--no-color',
    ],
    {
      RECOLLECT_URL: instance.url,
      RECOLLECT_API_KEY: instance.admin.key,
      RECOLLECT_SCHEMATHESIS_HOOKS: path.join(here, 'schemathesis_hooks.py'),
    },
  );
  const [file] = existsSync(reports) ? readdirSync(reports).filter((name) => name.endsWith('.json')) : [];
  if (file === undefined) throw new Error(`schemathesis ended without a report:\n${output}`);
  const report = reportSchema.parse(JSON.parse(readFileSync(path.join(reports, file), 'utf8')));
  recordFigure('schemathesis_failures', report.test_cases.unique_failures);
  recordFigure('schemathesis_cases', report.test_cases.generated);
  if (report.test_cases.unique_failures > 0 || report.errors.length > 0) process.stderr.write(output);
  expect(report.failures).toEqual([]);
  expect(report.errors).toEqual([]);
  expect(report.complete).toBe(true);
  // All operations except restore, revocation and rotation of keys; the examples phase is empty without examples in the document.
  expect(report.operations.tested).toBe(report.operations.total - 3);
  expect(Object.fromEntries(Object.entries(report.phases).map(([phase, { status }]) => [phase, status]))).toEqual({
    examples: 'skip',
    coverage: 'success',
    fuzzing: 'success',
    stateful: 'success',
  });
});
