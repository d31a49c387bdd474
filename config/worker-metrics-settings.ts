import { z } from 'zod';
import { isLoopbackHost } from './rules.ts';
import type { Fault } from './rules.ts';
import type { httpEnvironment } from './http-settings.ts';

/** Settings of a worker's listener for metrics. */
export const workerMetricsEnvironment = {
  RECOLLECT_WORKER_METRICS_HOST: z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe('Listen address of a worker’s `/metrics`'),
  RECOLLECT_WORKER_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe(
      'Port of a worker’s `/metrics`, for RECOLLECT_SCRAPE_TOKEN, which it needs; unset: none. `recollect up` sets both. HTTPS with the certificate of the api, if set',
    ),
};

type Environment = z.output<z.ZodObject<typeof workerMetricsEnvironment & typeof httpEnvironment>>;

/** Returns the settings of a worker's listener for metrics; null without one. */
export function workerMetricsConfig(env: Environment) {
  const { RECOLLECT_WORKER_METRICS_PORT: port, RECOLLECT_SCRAPE_TOKEN: token } = env;
  if (port === undefined || token === undefined) return null;
  const { RECOLLECT_TLS_CERT_FILE: certFile, RECOLLECT_TLS_KEY_FILE: keyFile } = env;
  return {
    host: env.RECOLLECT_WORKER_METRICS_HOST,
    port,
    token,
    tls: certFile === undefined || keyFile === undefined ? null : { certFile, keyFile },
  };
}

/** Returns the contradictions of these settings. */
export function workerMetricsFaults(env: Environment): Fault[] {
  const faults: Fault[] = [];
  if (env.RECOLLECT_WORKER_METRICS_PORT !== undefined && env.RECOLLECT_SCRAPE_TOKEN === undefined)
    faults.push(['RECOLLECT_WORKER_METRICS_PORT', 'requires RECOLLECT_SCRAPE_TOKEN']);
  const isPlain = env.RECOLLECT_TLS_CERT_FILE === undefined && !env.RECOLLECT_ALLOW_PLAIN_HTTP;
  if (!isLoopbackHost(env.RECOLLECT_WORKER_METRICS_HOST) && isPlain)
    faults.push([
      'RECOLLECT_WORKER_METRICS_HOST',
      'is not loopback: set RECOLLECT_TLS_CERT_FILE and RECOLLECT_TLS_KEY_FILE, or RECOLLECT_ALLOW_PLAIN_HTTP=true for plain HTTP',
    ]);
  return faults;
}
