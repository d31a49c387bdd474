import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { createMcpEndpoint } from '../../mcp/http.ts';
import type { Fetch } from '../../mcp/http.ts';

/** A memory of 64 KiB whose every byte JSON writes as six, and what stands around it. */
const MCP_BODY_BYTES = 512 * 1024;

/**
 * Requests that never leave the process, with the key and the request id of whoever asked: what a tool does is authenticated, checked and
 * logged as the same request over HTTP is.
 */
function fetchWithin(app: FastifyInstance, caller: Headers): Fetch {
  const passed = ['authorization', 'x-request-id'].flatMap((name) => {
    const value = caller.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return async (address, { method, headers, body, signal }) => {
    const { pathname, search } = new URL(address);
    const answer = await app.inject({
      method: methodOf(method),
      url: `${pathname}${search}`,
      // A request within the process looks like one from this machine: it says that it was passed on.
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

/** The request as the web has it, without its body, which was parsed; it is aborted when the caller goes away. */
function webRequest(request: FastifyRequest, reply: FastifyReply): Request {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  headers.set('x-request-id', request.id);
  return new Request(new URL(request.url, 'http://in-process'), {
    method: request.method,
    headers,
    signal: gone.signal,
  });
}

/** `/mcp`: the tools of the MCP server over streamable HTTP, for any key; what a tool may do is for the route that it asks to say. */
export function mcpRoutes(): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    const endpoint = createMcpEndpoint({
      fetchAs: (caller) => fetchWithin(app, caller),
      onError: (error) => app.log.debug({ error: error.name }, 'an MCP request was refused'),
    });
    app.addHook('preClose', () => endpoint.close());
    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: '/mcp',
      bodyLimit: MCP_BODY_BYTES,
      config: { access: 'key' },
      // JSON-RPC says in its own way what it takes: tools/list.
      schema: { hide: true },
      handler: async (request, reply) =>
        reply.send(await endpoint.handle(webRequest(request, reply), request.body ?? undefined)),
    });
    done();
  };
}
