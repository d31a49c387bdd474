import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { until } from '../../setup/until.ts';
import { freePort } from '../../setup/worker-process.ts';
import { pathOf } from './tools.ts';

export const ALERTMANAGER_CONFIG = fileURLToPath(new URL('../../../observability/alertmanager.yml', import.meta.url));

const messageSchema = z.object({
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels: z.record(z.string(), z.string()),
      startsAt: z.string().transform((text) => Date.parse(text)),
    }),
  ),
});

/** An alert as a receiver of webhooks got it. */
export interface ReceivedAlert {
  readonly name: string;
  readonly status: 'firing' | 'resolved';
  /** Path of the receiver. */
  readonly to: string;
  /** Milliseconds since 1970: when its rule began to fire, and when the message arrived. */
  readonly startedMs: number;
  readonly atMs: number;
}

export interface AlertmanagerProcess {
  /** Host and port. */
  readonly address: string;
  readonly received: readonly ReceivedAlert[];
  stop(): Promise<void>;
}

/** Starts Alertmanager with the configuration of the repository, whose receivers are one server of the test; `groupWait` replaces the time before the first message. */
export async function startAlertmanager(groupWait?: string): Promise<AlertmanagerProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-alertmanager-'));
  const received: ReceivedAlert[] = [];
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const [to, atMs] = [request.url ?? '', Date.now()];
      for (const { status, labels, startsAt } of messageSchema.parse(JSON.parse(body)).alerts)
        received.push({ name: labels['alertname'] ?? '', status, to, startedMs: startsAt, atMs });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const bound = receiver.address();
  if (bound === null || typeof bound === 'string') throw new Error('the receiver has no port');
  const config = readFileSync(ALERTMANAGER_CONFIG, 'utf8').replaceAll('127.0.0.1:9/', `127.0.0.1:${bound.port}/`);
  const file = path.join(folder, 'alertmanager.yml');
  writeFileSync(
    file,
    groupWait === undefined ? config : config.replaceAll('group_wait: 10s', `group_wait: ${groupWait}`),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    pathOf('prometheus-alertmanager'),
    [
      `--config.file=${file}`,
      `--storage.path=${folder}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  await until(
    async () => {
      const isReady = await fetch(`http://${address}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      return isReady || undefined;
    },
    60_000,
    'Alertmanager being ready',
  );
  return {
    address,
    received,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
