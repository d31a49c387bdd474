import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Api } from '../dependencies.ts';
import { createMcpEndpoint } from '../../mcp/http.ts';
import type { Fetch } from '../../mcp/http.ts';

/** Fits a memory of 64 KiB, each byte escaped as six in JSON, with its envelope. */
const MCP_BODY_BYTES = 512 * 1024;

/** Passes the caller's address on to the requests of a tool, for the audit log. */
const ADDRESS_HEADER = 'x-recollect-caller-address';

/**
 * Returns a fetch that dispatches requests in the process, with key, request id, address and user agent of the caller: requests of a tool are authenticated,
 * validated and logged like the same requests over HTTP.
 */
function fetchWithin(app: FastifyInstance, caller: Headers): Fetch {
  const passed = ['authorization', 'x-request-id', 'user-agent'].flatMap((name) => {
    const value = caller.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return async (address, { method, headers, body, signal }) => {
    const { pathname, search } = new URL(address);
    const answer = await app.inject({
      method: methodOf(method),
      url: `${pathname}${search}`,
      remoteAddress: caller.get(ADDRESS_HEADER) ?? '',
      // An in-process request looks local: `via` marks it as forwarded.
      headers: { ...headers, ...Object.fromEntries(passed), via: '1.1 recollect-mcp' },
      ...(typeof body === 'string' ? { payload: body } : {}),
      signal,
    });
    return {
      ok: answer.statusCode >= 200 && answer.statusCode < 300,
      status: answer.statusCode,
      headers: {
        get: (name) => {
          const value = answer.headers[name];
          return value === undefined ? null : String(value);
        },
      },
      text: () => Promise.resolve(answer.payload),
    };
  };
}

function methodOf(method: string): 'GET' | 'POST' | 'PUT' | 'DELETE' {
  if (method === 'POST' || method === 'PUT' || method === 'DELETE') return method;
  return 'GET';
}

/** Returns a web Request without the parsed body; it is aborted when the caller disconnects. */
function webRequest(request: FastifyRequest, reply: FastifyReply): Request {
  const disconnected = new AbortController();
  reply.raw.once('close', () => disconnected.abort());
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  headers.set('x-request-id', request.id);
  // Replaces what a caller sent under this name.
  headers.set(ADDRESS_HEADER, request.ip);
  return new Request(new URL(request.url, 'http://in-process'), {
    method: request.method,
    headers,
    signal: disconnected.signal,
  });
}

/**
 * `/mcp`: the tools of the MCP server over streamable HTTP, for any key; the routes that a tool calls authorize it. `pageHosts`: hosts of
 * pages that may call it, besides those of this machine.
 */
export function mcpRoutes(app: Api, pageHosts: readonly string[]): void {
  const endpoint = createMcpEndpoint({
    pageHosts,
    fetchAs: (caller) => fetchWithin(app, caller),
    onError: (error) => app.log.debug({ error: error.name }, 'an MCP request was refused'),
  });
  app.addHook('preClose', () => endpoint.close());
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    bodyLimit: MCP_BODY_BYTES,
    config: { access: 'key' },
    // JSON-RPC describes its own requests: tools/list.
    schema: { hide: true },
    handler: async (request, reply) =>
      reply.send(await endpoint.handle(webRequest(request, reply), request.body ?? undefined)),
  });
}
