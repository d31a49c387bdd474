import type { ServerResponse } from 'node:http';
import type { Prices } from '../../../../config/provider-settings.ts';
import { firstTokens, type PromptCache, tokensOf } from './prompt-cache.ts';
import type { MessagesRequest } from './protocol.ts';

export interface ServerUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
}

/** The server's reply to one request. Plain `answer`s are JSON-encoded unless they are strings. */
export type Reply =
  | {
      readonly kind: 'message';
      readonly answer: unknown;
      readonly stopReason?: string;
      /** Overrides the counted tokens. */
      readonly usage?: Partial<ServerUsage>;
    }
  | {
      readonly kind: 'error';
      readonly status: number;
      readonly type: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Raw bytes with status 200: a body that is no JSON, or JSON that is no message. */
  | { readonly kind: 'raw'; readonly body: string }
  /** Never responds; the connection remains open until the client or the server closes it. */
  | { readonly kind: 'silence' }
  /** Sends the headers and the start of a body, and then nothing. */
  | { readonly kind: 'stall' }
  /** Closes the connection without a response. */
  | { readonly kind: 'hang-up' };

export interface WrittenMessage {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly { readonly type: 'text'; readonly text: string; readonly citations: null }[];
  readonly stop_reason: string;
  readonly stop_sequence: null;
  readonly usage: ServerUsage;
}

/** Returns the message for a request: counts tokens, uses the cache, and truncates a response over its limit. */
export function writeMessage(
  { answer, stopReason, usage }: Extract<Reply, { kind: 'message' }>,
  request: MessagesRequest,
  cache: PromptCache,
): WrittenMessage {
  const complete = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const isTooLong = tokensOf(complete) > request.max_tokens;
  const text = isTooLong ? firstTokens(complete, request.max_tokens) : complete;
  const { total, read, written } = cache.use(request);
  return {
    id: 'msg_test',
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [{ type: 'text', text, citations: null }],
    stop_reason: stopReason ?? (isTooLong ? 'max_tokens' : 'end_turn'),
    stop_sequence: null,
    usage: {
      input_tokens: total - read - written,
      output_tokens: tokensOf(text),
      cache_creation_input_tokens: written,
      cache_read_input_tokens: read,
      ...usage,
    },
  };
}

/** US dollars that a message costs, as the provider bills it. */
export function priceOf(usage: ServerUsage, prices: Prices, share: number): number {
  return (
    ((usage.input_tokens * prices.inputUsdPerMTok +
      usage.cache_creation_input_tokens * prices.cacheWriteUsdPerMTok +
      usage.cache_read_input_tokens * prices.cacheReadUsdPerMTok +
      usage.output_tokens * prices.outputUsdPerMTok) *
      share) /
    1_000_000
  );
}

/** Sends a reply that is no message; returns its status, or null without one. */
export function playFault(reply: Exclude<Reply, { kind: 'message' }>, response: ServerResponse): number | null {
  switch (reply.kind) {
    case 'error':
      sendJson(
        response,
        {
          type: 'error',
          error: { type: reply.type, message: reply.message ?? reply.type },
          request_id: 'req_test',
        },
        reply.status,
        reply.headers,
      );
      return reply.status;
    case 'raw':
      response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_test' });
      response.end(reply.body);
      return 200;
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id": "msg_');
      return 200;
    case 'hang-up':
      response.destroy();
      return null;
    case 'silence':
      return null;
  }
}

export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_test', ...headers });
  response.end(JSON.stringify(body));
}
