import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { OauthConfig } from '../../config/oauth-settings.ts';
import type { Scope } from '../../domain/access.ts';
import { OAUTH_SCOPES } from '../../domain/oauth.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { principalOf } from '../auth.ts';
import { ApiError, ERROR_STATUS } from '../errors.ts';
import { onClosed } from '../http/on-closed.ts';
import { INNER_CALL_HEADER } from '../inner-calls.ts';
import type { InnerCalls } from '../inner-calls.ts';
import { WRITING_TOOLS } from '../../mcp/tools.ts';
import type { Api } from '../dependencies.ts';
import { createMcpEndpoint } from '../../mcp/http.ts';
import type { Fetch } from '../../mcp/http.ts';

/** Fits a memory of 64 KiB, each byte escaped as six in JSON, with its envelope. */
const MCP_BODY_BYTES = 512 * 1024;

/** Passes the caller's address on to the requests of a tool, for the audit log. */
const ADDRESS_HEADER = 'x-recollect-caller-address';

/**
 * Returns a fetch that dispatches requests in the process, with ticket, key, request id, address and user agent of the caller: requests of a tool are authorized,
 * validated and logged like the same requests over HTTP.
 */
function fetchWithin(app: FastifyInstance, caller: Headers): Fetch {
  const passed = ['authorization', 'x-request-id', 'user-agent', INNER_CALL_HEADER].flatMap((name) => {
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
function webRequest(request: FastifyRequest, reply: FastifyReply, innerCalls: InnerCalls): Request {
  const disconnected = new AbortController();
  const ticket = innerCalls.open(principalOf(request));
  onClosed(reply, () => {
    innerCalls.close(ticket);
    disconnected.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  headers.set('x-request-id', request.id);
  // Replace what a caller sent under these names.
  headers.set(ADDRESS_HEADER, request.ip);
  headers.set(INNER_CALL_HEADER, ticket);
  return new Request(new URL(request.url, 'http://in-process'), {
    method: request.method,
    headers,
    signal: disconnected.signal,
  });
}

const toolCall = z.object({ method: z.literal('tools/call'), params: z.object({ name: z.string() }) });

/** Returns the scope that the tool of a request needs and a principal lacks; null if there is none. */
function missingScope({ scopes }: Principal, body: unknown): Scope | null {
  const { data } = toolCall.safeParse(body);
  if (data === undefined) return null;
  const needed: Scope = WRITING_TOOLS.has(data.params.name) ? 'write' : 'read';
  return scopes.includes(needed) ? null : needed;
}

/** Returns the header that leads a client to the authorization server (RFC 9728, RFC 6750). */
function challenge({ origin }: OauthConfig, error: string | null): string {
  const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
  return `Bearer ${error === null ? '' : `error="${error}", `}scope="${OAUTH_SCOPES.join(' ')}", ${metadata}`;
}

export interface McpRouteOptions {
  readonly innerCalls: InnerCalls;
  /** Clients may log in there, too; null: by keys only. */
  readonly oauth: OauthConfig | null;
  /** Hosts of pages that may call `/mcp`, besides those of this machine. */
  readonly pageHosts: readonly string[];
}

/** `/mcp`: the tools of the MCP server over streamable HTTP, for any key; the routes that a tool calls authorize it. */
export function mcpRoutes(app: Api, { innerCalls, oauth, pageHosts }: McpRouteOptions): void {
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
    config: { access: 'key', acceptsGrants: oauth !== null, ignoresCookies: true },
    // JSON-RPC describes its own requests: tools/list.
    schema: { hide: true },
    onSend: async (request, reply) => {
      if (oauth === null || reply.statusCode !== ERROR_STATUS.UNAUTHENTICATED) return;
      const hasToken = request.headers.authorization !== undefined;
      void reply.header('www-authenticate', challenge(oauth, hasToken ? 'invalid_token' : null));
    },
    handler: async (request, reply) => {
      const principal = principalOf(request);
      // A request counts once: the protocol has no batches since 2025-06-18.
      if (Array.isArray(request.body))
        throw new ApiError('VALIDATION_FAILED', 'a request to /mcp is one JSON-RPC message, not a batch of them');
      // A key gets the answer of the tool: its client cannot ask for more rights.
      if (oauth !== null && principal.credential.kind === 'grant' && missingScope(principal, request.body) !== null) {
        void reply.header('www-authenticate', challenge(oauth, 'insufficient_scope'));
        throw new ApiError('FORBIDDEN', 'the tool needs a right that the user did not give');
      }
      return reply.send(await endpoint.handle(webRequest(request, reply, innerCalls), request.body ?? undefined));
    },
  });
}
