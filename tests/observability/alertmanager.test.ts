import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { untilTrue } from '../setup/until.ts';
import { ALERTMANAGER_CONFIG, startAlertmanager } from './support/alertmanager-process.ts';
import type { AlertmanagerProcess } from './support/alertmanager-process.ts';
import { outputOf } from './support/tools.ts';

test('amtool accepts the configuration', () => {
  const output = outputOf('amtool', 'check-config', ALERTMANAGER_CONFIG);
  expect(output).toContain('SUCCESS');
  expect(output).toContain('4 receivers');
});

test.each([
  ['P0', 'RecollectUnfindable', 'recollect-page'],
  ['P1', 'RecollectBacklog', 'recollect-today'],
  ['P2', 'RecollectCertificate', 'recollect-planned'],
  ['none', 'RecollectWatchdog', 'recollect-watchdog'],
])('an alert of priority %s has its receiver: %s', (priority, alert, receiver) => {
  const output = outputOf(
    'amtool',
    'config',
    'routes',
    'test',
    `--config.file=${ALERTMANAGER_CONFIG}`,
    `--verify.receivers=${receiver}`,
    `alertname=${alert}`,
    `priority=${priority}`,
  );
  expect(output.split('\n')[0]).toBe(receiver);
  expect(output).not.toContain('exit code');
});

test('every alert and objective that the configuration names has a rule', () => {
  const config = readFileSync(ALERTMANAGER_CONFIG, 'utf8');
  const rules = ['alerts.yml', 'slo.yml']
    .map((file) => readFileSync(fileURLToPath(new URL(`../../observability/rules/${file}`, import.meta.url)), 'utf8'))
    .join('');
  const slos = [...config.matchAll(/slo =~? "?([\w|]+)/g)].flatMap(([, list = '']) => list.split('|'));
  const names = config.match(/\bRecollect[A-Z]\w+/g) ?? [];
  expect([names.length > 15, slos.length > 3]).toEqual([true, true]);
  expect(names.filter((name) => !rules.includes(`alert: ${name}\n`))).toEqual([]);
  expect(slos.filter((slo) => !rules.includes(`slo: ${slo}\n`))).toEqual([]);
});

const alertsSchema = z.array(
  z.object({ labels: z.record(z.string(), z.string()), status: z.object({ state: z.string() }) }),
);

describe('a running Alertmanager', () => {
  let alertmanager: AlertmanagerProcess;
  let url: string;

  beforeEach(async () => {
    alertmanager = await startAlertmanager('1s');
    url = `http://${alertmanager.address}/api/v2`;
  });
  afterEach(() => alertmanager.stop());

  /** Returns the state of the alerts by name: active or suppressed. */
  async function states(): Promise<Record<string, string>> {
    const alerts = alertsSchema.parse(await (await fetch(`${url}/alerts`)).json());
    return Object.fromEntries(alerts.map(({ labels, status }) => [labels['alertname'] ?? '', status.state]));
  }

  /** Sends alerts: name, priority and other labels. */
  async function send(...alerts: (readonly [string, string, Record<string, string>?])[]): Promise<void> {
    const body = alerts.map(([alertname, priority, more]) => ({ labels: { alertname, priority, ...more } }));
    const answer = await fetch(`${url}/alerts`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
  }
  const named = (to: string) => alertmanager.received.filter((one) => one.to === to).map(({ name }) => name);

  test.each([
    [
      'worker',
      ['RecollectBacklog', 'RecollectSearchableBurnFast'],
      ['RecollectCaptureLatencyBurnFast', 'RecollectSlow'],
    ],
    ['api', ['RecollectCaptureLatencyBurnFast', 'RecollectSlow'], ['RecollectBacklog', 'RecollectSearchableBurnFast']],
  ])('silences what follows from a stopped %s, and nothing else', async (job, following, others) => {
    await send(
      ['RecollectDown', 'P0', { job: `recollect-${job}` }],
      ['RecollectBacklog', 'P1'],
      ['RecollectSlow', 'P1'],
      ['RecollectDiskLow', 'P1'],
      ['RecollectLoginAttack', 'P1'],
      ['RecollectSearchableBurnFast', 'P1', { slo: 'searchable' }],
      ['RecollectCaptureLatencyBurnFast', 'P1', { slo: 'capture_latency' }],
    );
    const sent = [...others, 'RecollectDiskLow', 'RecollectLoginAttack'];
    await untilTrue(async () => named('/today').length >= sent.length, 60_000, 'the other alerts');
    const by = async (state: string) =>
      Object.entries(await states()).flatMap(([name, each]) => (each === state ? [name] : []));
    await untilTrue(async () => (await by('suppressed')).length >= following.length, 60_000, 'suppressed alerts');
    expect((await by('suppressed')).toSorted()).toEqual(following.toSorted());
    expect(named('/today').toSorted()).toEqual(sent.toSorted());
  });

  test('silences what follows from a stopped database, and sends the rest to its receiver', async () => {
    await send(
      ['RecollectDatabaseDown', 'P0'],
      ['RecollectErrorRate', 'P0'],
      ['RecollectBackupOld', 'P0'],
      ['RecollectSlow', 'P1'],
      ['RecollectDiskLow', 'P1'],
      ['RecollectSearchDegraded', 'P2'],
      ['RecollectSearchableBurnSlow', 'P2', { slo: 'searchable' }],
      ['RecollectWatchdog', 'none'],
    );
    await untilTrue(
      async () => named('/page').length >= 2 && named('/watchdog').length > 0 && named('/today').length > 0,
      60_000,
      'four messages',
    );
    await untilTrue(async () => (await states())['RecollectSlow'] === 'suppressed', 60_000, 'a suppressed alert');
    expect(await states()).toEqual({
      RecollectDatabaseDown: 'active',
      RecollectErrorRate: 'suppressed',
      RecollectBackupOld: 'active',
      RecollectSlow: 'suppressed',
      RecollectDiskLow: 'active',
      RecollectSearchDegraded: 'suppressed',
      RecollectSearchableBurnSlow: 'suppressed',
      RecollectWatchdog: 'active',
    });
    expect(named('/page')).toContain('RecollectBackupOld');
    expect([named('/today'), named('/planned')]).toEqual([['RecollectDiskLow'], []]);
  });
});
