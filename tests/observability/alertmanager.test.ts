import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

const alertsSchema = z.array(
  z.object({ labels: z.record(z.string(), z.string()), status: z.object({ state: z.string() }) }),
);

describe('a running Alertmanager', () => {
  let alertmanager: AlertmanagerProcess;
  let url: string;

  beforeAll(async () => {
    alertmanager = await startAlertmanager('1s');
    url = `http://${alertmanager.address}/api/v2`;
  });
  afterAll(() => alertmanager.stop());

  /** Returns the state of the alerts by name: active or suppressed. */
  async function states(): Promise<Record<string, string>> {
    const alerts = alertsSchema.parse(await (await fetch(`${url}/alerts`)).json());
    return Object.fromEntries(alerts.map(({ labels, status }) => [labels['alertname'] ?? '', status.state]));
  }

  test('silences what follows from a stopped process or database, and sends the rest to its receiver', async () => {
    const alerts = [
      ['RecollectDatabaseDown', 'P0'],
      ['RecollectErrorRate', 'P0'],
      ['RecollectBackupOld', 'P0'],
      ['RecollectSlow', 'P1'],
      ['RecollectSearchDegraded', 'P2'],
      ['RecollectWatchdog', 'none'],
    ].map(([alertname = '', priority = '']) => ({ labels: { alertname, priority } }));
    const answer = await fetch(`${url}/alerts`, {
      method: 'POST',
      body: JSON.stringify(alerts),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
    const named = (to: string) => alertmanager.received.filter((one) => one.to === to).map(({ name }) => name);
    await untilTrue(async () => named('/page').length >= 2 && named('/watchdog').length > 0, 30_000, 'three messages');
    await untilTrue(async () => (await states())['RecollectSlow'] === 'suppressed', 30_000, 'a suppressed alert');
    expect(await states()).toEqual({
      RecollectDatabaseDown: 'active',
      RecollectErrorRate: 'suppressed',
      RecollectBackupOld: 'active',
      RecollectSlow: 'suppressed',
      RecollectSearchDegraded: 'suppressed',
      RecollectWatchdog: 'active',
    });
    expect(named('/page')).toContain('RecollectBackupOld');
    expect([named('/today'), named('/planned')]).toEqual([[], []]);
  });
});
