import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fromZero } from '../../telemetry/metric-sets.ts';
import { STATUS_CLASSES, statusClass } from '../../telemetry/api-metrics.ts';
import type { ApiMetrics } from '../../telemetry/api-metrics.ts';

/** Requests that no route receives. */
const NO_ROUTE = 'other';
/** Its responses end with the connection. */
const STREAMS = 'stream';

/** Returns the group of a route: the first segment of its pattern without the prefix of the version. */
export function groupOf(pattern: string | undefined, prefix: string): string {
  if (pattern === undefined) return NO_ROUTE;
  const path = pattern.startsWith(`${prefix}/`) ? pattern.slice(prefix.length) : pattern;
  const [, first = ''] = path.split('/');
  return first === '' || /[:*]/.test(first) ? 'viewer' : first;
}

/**
 * Counts and logs every answer once: pattern of the route and numbers, never the address with its ids or its query. Metrics have the group of the route, at 0 from the
 * start for every group; the log has the route.
 */
export function registerObservation(
  app: FastifyInstance,
  { requests, duration, inFlight }: Pick<ApiMetrics, 'requests' | 'duration' | 'inFlight'>,
  prefix: string,
): void {
  app.addHook('onReady', async () => {
    const group = new Set([NO_ROUTE, ...app.routeAccess.map(({ url }) => groupOf(url, prefix))]);
    fromZero(requests, { group: [...group], status: STATUS_CLASSES });
  });
  const open = new Set<FastifyRequest>();
  const end = (request: FastifyRequest): void => {
    if (open.delete(request)) inFlight.dec();
  };
  app.addHook('onRequest', async (request, reply) => {
    open.add(request);
    inFlight.inc();
    // A client that closes the connection gets no answer.
    reply.raw.once('close', () => end(request));
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url;
    const group = groupOf(route, prefix);
    end(request);
    requests.inc({ group, status: statusClass(reply.statusCode) });
    if (group !== STREAMS)
      duration.observe({
        labels: { group },
        value: reply.elapsedTime / 1_000,
        exemplarLabels: request.span === null ? {} : { trace_id: request.span.ids.traceId },
      });
    request.log.info(
      {
        method: request.method,
        route: route ?? 'unknown',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 100) / 100,
        credential: request.principal?.credential.id,
      },
      'answered',
    );
  });
}
