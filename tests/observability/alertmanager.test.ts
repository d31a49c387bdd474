import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { until, untilTrue } from '../setup/until.ts';
import { freePort } from '../setup/worker-process.ts';
import { outputOf, pathOf } from './support/tools.ts';

const CONFIG = fileURLToPath(new URL('../../observability/alertmanager.yml', import.meta.url));

test('amtool accepts the configuration', () => {
  const output = outputOf('amtool', 'check-config', CONFIG);
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
    `--config.file=${CONFIG}`,
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
  const received: { readonly to: string; readonly body: string }[] = [];
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-alertmanager-'));
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      received.push({ to: request.url ?? '', body });
      response.end();
    });
  });
  let child: ReturnType<typeof spawn>;
  let url: string;

  beforeAll(async () => {
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
    const config = readFileSync(CONFIG, 'utf8')
      .replaceAll('127.0.0.1:9/', `127.0.0.1:${address.port}/`)
      .replaceAll('group_wait: 10s', 'group_wait: 1s');
    const file = path.join(folder, 'alertmanager.yml');
    writeFileSync(file, config);
    const listen = `127.0.0.1:${await freePort()}`;
    url = `http://${listen}/api/v2`;
    child = spawn(
      pathOf('prometheus-alertmanager'),
      [
        `--config.file=${file}`,
        `--storage.path=${folder}`,
        `--web.listen-address=${listen}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    await until(async () => {
      const isReady = await fetch(`${url}/status`).then(
        ({ ok }) => ok,
        () => false,
      );
      return isReady || undefined;
    }, 60_000);
  });
  afterAll(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

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
    const named = (to: string) => received.filter((one) => one.to === to).map(({ body }) => body);
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
    expect(named('/page').join('')).toContain('RecollectBackupOld');
    expect(received.map(({ to }) => to)).not.toContain('/today');
    expect(received.map(({ to }) => to)).not.toContain('/planned');
  });
});
