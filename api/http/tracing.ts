import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../config/config.ts';
import { readTraceparent } from '../../domain/trace-mark.ts';
import type { CallerMark } from '../../domain/trace-mark.ts';
import type { TracedSpan, Tracing } from '../../telemetry/tracing.ts';
import { createLocalCheck } from './local-caller.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null unless the request is traced. */
    span: TracedSpan | null;
  }
}

/** Probes and scrapes would be most traces of an idle instance. */
const UNTRACED = /\/(?:health(?:\/[a-z]+)?|metrics)$/;
const FIRST_FAILURE = 500;

/**
 * Traces a share of the requests, those that a believed caller samples, and failed ones. The header `traceparent` is believed from this
 * machine and from holders of a key: anybody else could have every request traced, or join other traces. Must be registered after
 * authentication, and after what logs answers: their lines name the span, which ends here.
 */
export function registerTracing(app: FastifyInstance, tracing: Tracing | null, http: Config['http']): void {
  app.decorateRequest('span', null);
  if (tracing === null) return;
  const isLocal = createLocalCheck(http.trustProxy);
  const callerOf = (request: FastifyRequest): CallerMark | null =>
    request.principal?.credential.kind === 'key' || isLocal(request)
      ? readTraceparent(request.headers['traceparent'])
      : null;
  const start = (request: FastifyRequest, reply: FastifyReply, caller: CallerMark | null): TracedSpan => {
    const route = request.routeOptions.url ?? 'unknown';
    // A tool of `/mcp` sends requests within the request to it.
    return tracing.request(`${request.method} ${route}`, tracing.active() ?? caller, Date.now() - reply.elapsedTime, {
      'http.request.method': request.method,
      'http.route': route,
      'recollect.tenant_id': request.principal?.tenantId,
    });
  };
  const isTraced = (request: FastifyRequest) => !UNTRACED.test(request.routeOptions.url ?? '');

  app.addHook('onRequest', (request, reply, done) => {
    if (!isTraced(request)) return done();
    const caller = callerOf(request);
    if (tracing.active() === null && caller?.isSampled !== true && !tracing.isDrawn()) return done();
    request.span = start(request, reply, caller);
    request.span.run(done);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode } = reply;
    const isFailed = statusCode >= FIRST_FAILURE;
    // One span, without its parts: that it would fail was not known.
    if (request.span === null && isFailed && isTraced(request)) request.span = start(request, reply, callerOf(request));
    if (request.span === null) return;
    request.span.note({
      'http.response.status_code': statusCode,
      ...(isFailed && { 'error.type': String(statusCode) }),
    });
    if (isFailed) request.span.fail();
    request.span.end();
  });
}
