import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionError, FastifyInstance } from 'fastify';
import { ApiError, ERROR_STATUS } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** In the pattern of a route. */
const PARAMETER = /[:*]/;

/** Code and message for what Node's HTTP parser or its timers refuse. */
function parserError(code: string): readonly [ErrorCode, string] {
  switch (code) {
    case 'HPE_INVALID_METHOD':
      return ['METHOD_NOT_ALLOWED', 'no route has this method'];
    case 'HPE_HEADER_OVERFLOW':
      return ['HEADERS_TOO_LARGE', 'the headers are too large'];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['REQUEST_TIMEOUT', 'the request did not arrive in time'];
    default:
      return ['MALFORMED_REQUEST', 'the request is not valid HTTP'];
  }
}

/** An answer as bytes, for connections on which no request was parsed. */
function rawAnswer([code, error]: readonly [ErrorCode, string], headers: Readonly<Record<string, string>>): string {
  const status = ERROR_STATUS[code];
  const requestId = randomUUID();
  const body = JSON.stringify({ error, code, details: [], request_id: requestId });
  const all = {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

export interface MethodGuard {
  /** For Fastify's option of the same name. */
  readonly clientErrorHandler: (error: ConnectionError, socket: Duplex) => void;
  /** Adds the hooks. Before the routes, whose methods they collect. */
  readonly register: (app: FastifyInstance) => void;
}

/**
 * Refuses requests that no route takes before their body is read: 405 with `Allow` where another method has the path, else 404. What the
 * HTTP parser refuses, `CONNECT` included, is answered in the same shape; `headers` are sent with these answers, which no hook sees.
 */
export function createMethodGuard(headers: Readonly<Record<string, string>>): MethodGuard {
  const methods = new Set<string>();
  /** Paths without parameters. */
  const fixed = new Set<string>();
  const allow = (taken: Iterable<string>) => [...taken].toSorted().join(', ');

  const answerUnparsed = (code: string, socket: Duplex) => {
    if (code === 'ECONNRESET' || !socket.writable) return;
    const known = parserError(code);
    const allowed = known[0] === 'METHOD_NOT_ALLOWED' ? { allow: allow(methods) } : {};
    socket.end(rawAnswer(known, { ...headers, ...allowed }), () => socket.destroy());
  };

  return {
    clientErrorHandler: (error, socket) => answerUnparsed(error.code, socket),
    register: (app) => {
      app.addHook('onRoute', (route) => {
        for (const method of [route.method].flat()) methods.add(method);
        if (!PARAMETER.test(route.url)) fixed.add(route.url);
      });
      app.addHook('onRequest', async (request, reply) => {
        const isParameterised = PARAMETER.test(request.routeOptions.url ?? '');
        if (!request.is404 && !isParameterised) return;
        const isFixed = fixed.has(request.url.replace(/\?.*$/s, ''));
        // A path of its own is no value of another route's parameter.
        if (!request.is404 && !isFixed) return;
        const taken = [...methods].filter((method) => {
          const route = app.findRoute({ method, url: request.url });
          return route !== null && !(isFixed && Object.keys(route.params ?? {}).length > 0);
        });
        if (taken.length === 0) throw new ApiError('NOT_FOUND', 'there is no such route');
        void reply.header('allow', allow(taken));
        throw new ApiError('METHOD_NOT_ALLOWED', 'the route does not have this method');
      });
      app.server.on('connect', (_request, socket) => {
        // Node leaves the socket to this listener: without one of its own, a reset of the connection would end the process.
        socket.on('error', () => socket.destroy());
        answerUnparsed('HPE_INVALID_METHOD', socket);
      });
    },
  };
}
