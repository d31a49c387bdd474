import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { until } from '../../setup/until.ts';
import { freePort } from '../../setup/worker-process.ts';
import { shortened } from './shortened-rules.ts';
import { pathOf } from './tools.ts';

const FOLDER = fileURLToPath(new URL('../../../observability', import.meta.url));
const answerSchema = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(z.unknown()) }).optional(),
});
const exemplarsSchema = z.object({
  data: z.array(z.object({ exemplars: z.array(z.object({ labels: z.record(z.string(), z.string()) })) })),
});

export interface PrometheusProcess {
  readonly url: string;
  /** Returns the number of series of an expression. @throws Error with the message of Prometheus */
  query(expr: string): Promise<number>;
  /** Returns the trace ids of the exemplars of a metric. */
  traceIds(metric: string): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * Starts Prometheus with the configuration of the repository, scraping these addresses every second; with the api of Alertmanager at `alertmanager`, if given. `divisor`:
 * every duration in the rules is divided by it.
 */
export async function startPrometheus(targets: {
  readonly api: string;
  readonly worker: string;
  readonly token: string;
  readonly alertmanager?: string;
  readonly divisor?: number;
}): Promise<PrometheusProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-prometheus-'));
  mkdirSync(path.join(folder, 'rules'));
  for (const file of readdirSync(path.join(FOLDER, 'rules'))) {
    const rules = readFileSync(path.join(FOLDER, 'rules', file), 'utf8');
    writeFileSync(path.join(folder, 'rules', file), shortened(rules, targets.divisor ?? 1));
  }
  writeFileSync(path.join(folder, 'scrape-token'), targets.token);
  const config = readFileSync(path.join(FOLDER, 'prometheus.yml'), 'utf8')
    .replaceAll(/_interval: \S+/g, '_interval: 1s')
    .replace('127.0.0.1:37700', targets.api)
    .replace('127.0.0.1:27735', targets.worker)
    .replace('127.0.0.1:9093', targets.alertmanager ?? '127.0.0.1:9');
  writeFileSync(path.join(folder, 'prometheus.yml'), config);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    pathOf('prometheus'),
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const url = `http://${address}`;
  await until(
    async () => {
      const isReady = await fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      return isReady || undefined;
    },
    60_000,
    'Prometheus being ready',
  );
  return {
    url,
    async query(expr) {
      const response = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: expr }),
      });
      const { status, error, data } = answerSchema.parse(await response.json());
      if (status !== 'success') throw new Error(`${expr}: ${error}`);
      return data?.result.length ?? 0;
    },
    async traceIds(metric) {
      const range = { start: String(Date.now() / 1_000 - 3_600), end: String(Date.now() / 1_000 + 60) };
      const response = await fetch(`${url}/api/v1/query_exemplars`, {
        method: 'POST',
        body: new URLSearchParams({ query: metric, ...range }),
      });
      const { data } = exemplarsSchema.parse(await response.json());
      return data.flatMap(({ exemplars }) => exemplars.flatMap(({ labels }) => labels['trace_id'] ?? []));
    },
    async stop() {
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
