import { createMcpHandler, localhostAllowedOrigins, originValidationResponse } from '@modelcontextprotocol/server';
import { RecollectClient } from '../client/index.ts';
import type { Fetch } from '../client/index.ts';
import { createMcpServer } from './server.ts';

export type { Fetch };

/** In-process requests need no network and no retries: the caller sees BUSY. */
const IN_PROCESS = { url: 'http://in-process', retries: 0 } as const;
/** The server's lists never change while it runs: clients need not listen for long. */
const MAX_LISTENERS = 64;

interface McpEndpointOptions {
  /** Returns the fetch of a request's tools, with the caller's headers. */
  readonly fetchAs: (caller: Headers) => Fetch;
  readonly onError: (error: Error) => void;
  /** Hosts whose pages may call, besides those of this machine. */
  readonly pageHosts: readonly string[];
}

/**
 * Serves MCP over streamable HTTP without sessions: each request has its own server, with the caller's key. Rejects pages of other
 * sites: only programs, pages of this machine and of `pageHosts` may call.
 */
export function createMcpEndpoint({ fetchAs, onError, pageHosts }: McpEndpointOptions) {
  const origins = [...localhostAllowedOrigins(), ...pageHosts];
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const api = new RecollectClient({ ...IN_PROCESS, fetch: fetchAs(requestInfo?.headers ?? new Headers()) });
      return createMcpServer({ api: () => api, mayWrite: true, projectHere: null });
    },
    { onerror: onError, maxSubscriptions: MAX_LISTENERS },
  );
  return {
    /** Handles one HTTP request with a parsed body. */
    handle: (request: Request, body: unknown): Promise<Response> => {
      const refused = originValidationResponse(request, origins);
      return refused === undefined ? handler.fetch(request, { parsedBody: body }) : Promise.resolve(refused);
    },
    /** Ends open streams. */
    close: () => handler.close(),
  };
}
