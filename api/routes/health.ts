import { z } from 'zod';
import { route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { errorSchema } from '../../contract/shared.ts';
import { healthAnswer } from '../../contract/operations.ts';
import { PLAIN_TEXT, plainText } from '../../telemetry/plain-text.ts';
import { prefersOpenMetrics } from '../metrics/scrape-format.ts';

const open = { access: 'open' } as const;

/** Health for users, liveness and readiness for supervisors and load balancers, metrics for Prometheus. */
export function healthRoutes(
  app: Api,
  { health, metrics, scrape, isStopping }: ApiDependencies & { isStopping: () => boolean },
): void {
  app.get(
    '/health',
    {
      config: open,
      schema: {
        tags: ['operation'],
        summary: 'Get the state of each dependency',
        querystring: z.object({
          format: z.enum(['full', 'compact']).default('full').describe('compact: only the status'),
        }),
        response: { 200: healthAnswer, 422: errorSchema, 503: healthAnswer },
      },
    },
    async (request, reply) => {
      const dependencies = await health();
      const isDegraded = Object.values(dependencies).some((dependency) => dependency.status === 'unavailable');
      const status = dependencies.postgres.status === 'unavailable' ? 'down' : isDegraded ? 'degraded' : 'ok';
      return reply
        .status(status === 'down' ? 503 : 200)
        .send(request.query.format === 'compact' ? { status } : { status, dependencies });
    },
  );
  const answer = z.object({ status: z.string() });
  // Checks nothing outside the process: an unavailable database is no reason to restart it.
  app.get(
    '/health/live',
    {
      config: open,
      schema: { tags: ['operation'], summary: 'Check liveness: the process responds', response: { 200: answer } },
    },
    () => ({ status: 'alive' }),
  );
  app.get(
    '/health/ready',
    {
      config: open,
      schema: {
        tags: ['operation'],
        summary: 'Check readiness: the process can capture events',
        response: { 200: answer, 503: answer },
      },
    },
    async (_request, reply) => {
      const ready = !isStopping() && (await health()).postgres.status === 'ok';
      return reply.status(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
    },
  );
  app.get(
    '/metrics',
    route('scrape', {
      tags: ['operation'],
      summary: 'Get Prometheus metrics',
      response: {
        200: {
          description: 'Prometheus text format, or OpenMetrics, with exemplars, where the header `accept` prefers it',
          content: {
            'text/plain': { schema: z.string() },
            'application/openmetrics-text': { schema: z.string() },
          },
        },
      },
    }),
    async ({ headers }, reply) => {
      const text = await scrape();
      return prefersOpenMetrics(headers.accept)
        ? reply.type(metrics.registry.contentType).send(text)
        : reply.type(PLAIN_TEXT).send(plainText(text));
    },
  );
}
