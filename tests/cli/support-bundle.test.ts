import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { logsOf } from '../../cli/support-bundle/log-lines.ts';
import { settingsOf } from '../../cli/support-bundle/settings.ts';
import { testFolder } from '../infra/support/folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { runProgram, writeCredentials } from './support/output.ts';

const PLANTED = 'planted-Zq7-secret';
const ID = '018f0000-0000-7000-8000-000000000000';
const instance = fileInstance({}, ['statistics']);

describe('settings in a support bundle', () => {
  test('show numbers, switches and choices, and of all others only that they are set', () => {
    expect(
      settingsOf({
        RECOLLECT_WINDOW_TOKENS: '6000',
        RECOLLECT_USERS_VERIFY: 'true',
        RECOLLECT_TRANSCRIPTS: 'all',
        RECOLLECT_SCRAPE_TOKEN: PLANTED,
        RECOLLECT_DATABASE_URL: `postgres://app:${PLANTED}@db/recollect`,
        RECOLLECT_LOG_LEVEL: '',
        RECOLLECT_MISSPELT_KEY: PLANTED,
        ANTHROPIC_API_KEY: PLANTED,
      }),
    ).toEqual({
      RECOLLECT_WINDOW_TOKENS: '6000',
      RECOLLECT_USERS_VERIFY: 'true',
      RECOLLECT_TRANSCRIPTS: 'all',
      RECOLLECT_SCRAPE_TOKEN: 'set',
      RECOLLECT_DATABASE_URL: 'set',
      RECOLLECT_MISSPELT_KEY: 'unknown',
    });
  });

  test('show no text that was set in the place of a number', () => {
    expect(settingsOf({ RECOLLECT_WINDOW_TOKENS: `${PLANTED} with words` })).toEqual({
      RECOLLECT_WINDOW_TOKENS: 'set',
    });
  });
});

describe('logs in a support bundle', () => {
  test('are warnings and errors with codes and places, without messages of errors and unknown fields', () => {
    const folder = testFolder();
    const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
    // A message, and lines of captured text that look like those of a stack.
    const message = `${PLANTED}\n    at planted (/src/api/${PLANTED}.ts:1:2)`;
    const stack = `Error: ${message}\n    at readRow (/home/${PLANTED}/recollect/stores/postgres/rows.ts:12:5)\n    at run (node:internal/x:1:2)`;
    writeFileSync(
      path.join(folder, 'api.log'),
      line({ level: 30, msg: 'answered', status: 200 }) +
        line({ level: 50, msg: message, reqId: ID, err: { type: 'Error', message, stack }, body: PLANTED }) +
        line({
          level: 40,
          msg: 'foreign',
          reqId: PLANTED,
          error: PLANTED,
          reason: `ECONNREFUSED ${PLANTED}`,
          step: PLANTED,
        }) +
        line({
          level: 40,
          msg: 'foreign',
          error: { type: PLANTED },
          code: PLANTED,
          codes: [PLANTED],
          provider: PLANTED,
        }) +
        `${PLANTED}\n`,
    );
    writeFileSync(path.join(folder, 'postgres.log'), `2026 ERROR: value "${PLANTED}"\nLOG: ready\nFATAL: stop\n`);
    writeFileSync(path.join(folder, 'temporal.log'), line({ level: 'error', msg: PLANTED }));
    const logs = logsOf(folder);
    expect(JSON.stringify(logs)).not.toContain(PLANTED);
    expect(logs).toEqual({
      api: [
        {
          level: 50,
          reqId: ID,
          err: { type: 'Error', stack: ['readRow stores/postgres/rows.ts:12:5'] },
        },
        { level: 40, msg: 'foreign', reason: 'ECONNREFUSED' },
        { level: 40, msg: 'foreign', codes: [] },
      ],
      worker: [],
      postgres: { error: 1, fatal: 1 },
      temporal: { error: 1 },
      weaviate: {},
    });
  });
});

test('a support bundle has the state of the server and nothing that was captured, and replaces no file', async () => {
  const folder = testFolder();
  const dataDir = path.join(folder, PLANTED);
  mkdirSync(dataDir);
  await captured(instance, [
    ...smallSession('bundle', { path: `/src/${PLANTED}`, remote: `git@example.org:team/${PLANTED}.git` }),
  ]);
  await instance.write(
    `UPDATE sessions SET last_event_at = now() - interval '3 hours', title = '${PLANTED}' WHERE external_id = 'bundle'`,
  );
  expect((await instance.post('/schedules/statistics/pause', { reason: PLANTED })).status).toBe(200);
  writeCredentials(dataDir, instance);
  const file = path.join(folder, 'bundle.json');
  const run = () =>
    runProgram(['doctor', '--bundle', file, '--data-dir', dataDir], null, {
      HOME: dataDir,
      RECOLLECT_SCRAPE_TOKEN: PLANTED,
    });
  const text = await until(async () => {
    rmSync(file, { force: true });
    expect((await run()).text).toContain(`Support bundle: ${file}. It contains nothing captured and no keys`);
    const written = readFileSync(file, 'utf8');
    // On a busy machine an engine may not answer its check in time.
    return JSON.parse(written).server.health.status === 'ok' ? written : undefined;
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(text).not.toContain(PLANTED);
  expect(text).not.toContain(instance.admin.key);
  expect(JSON.parse(text)).toMatchObject({
    versions: { layout: 1, node: process.versions.node },
    settings: { RECOLLECT_SCRAPE_TOKEN: 'set' },
    checks: expect.arrayContaining([expect.objectContaining({ what: 'Node' })]) as unknown,
    server: {
      health: { status: 'ok' },
      stuck_jobs: [
        expect.objectContaining({
          kind: 'session',
          stuck: expect.objectContaining({ reason: 'events_unconsumed' }) as unknown,
        }),
      ],
      metrics: expect.arrayContaining([expect.stringContaining('recollect_capture_events_total')]) as unknown,
      backups: [],
      schedules: expect.arrayContaining([
        expect.objectContaining({ name: 'statistics', state: 'paused', pause_reason: true }),
      ]) as unknown,
    },
  });
  const second = await run();
  expect(second).toMatchObject({ code: 1, errors: `${file} exists. Name another file.\n` });
  expect(readFileSync(file, 'utf8')).toBe(text);
});
