import type { FastifyInstance } from 'fastify';

const METHODS = 'GET, HEAD, POST, PUT, DELETE';
/** How long browsers may reuse a preflight. */
const PREFLIGHT_SECONDS = '600';

/**
 * Lets pages of the listed origins use every route with a key. Compares the complete Origin, and answers preflights before the route is
 * looked for. Other origins get no CORS header, so that a browser does not send the request or does not show the answer. No cookies across
 * origins: there is no Access-Control-Allow-Credentials.
 */
export function registerCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook('onRequest', async (request, reply) => {
    // Also without Origin: a cache must not serve that answer to a page.
    void reply.header('vary', 'Origin, Access-Control-Request-Headers');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return;
    void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': '*' });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return;
    await reply
      .status(204)
      .headers({
        'access-control-allow-methods': METHODS,
        // Of a trusted page: a list of our own would have to follow that of MCP.
        'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '',
        'access-control-max-age': PREFLIGHT_SECONDS,
      })
      .send();
  });
}
