import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';

/** What the server does with one request. Plain `answer`s are JSON-encoded unless they are strings. */
export type Reply =
  | {
      readonly kind: 'message';
      readonly answer: unknown;
      readonly stopReason?: string;
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
  /** Never answers; the connection stays open until the client gives up or the server closes. */
  | { readonly kind: 'silence' }
  /** Sends the headers and the start of a body, and then nothing. */
  | { readonly kind: 'stall' }
  /** Closes the connection without an answer. */
  | { readonly kind: 'hang-up' };

export interface ServerUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
}

const textBlock = z.object({
  type: z.literal('text'),
  text: z.string().min(1),
  cache_control: z.object({ type: z.literal('ephemeral') }).optional(),
});
const content = z.union([z.string().min(1), z.array(textBlock).min(1)]);
const requestBody = z.object({
  model: z.string().min(1),
  max_tokens: z.int().positive(),
  system: z.union([z.string(), z.array(textBlock)]).optional(),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content })).min(1),
  output_config: z
    .object({ format: z.object({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) }) })
    .optional(),
  stream: z.literal(false).optional(),
});
export type MessagesRequest = z.infer<typeof requestBody>;

export interface MessagesServer {
  /** For the client's `baseUrl`. */
  readonly url: string;
  readonly apiKey: string;
  /** Well-formed requests so far, in order. */
  readonly requests: readonly MessagesRequest[];
  /** Appends replies to the script; they are used up in order. */
  readonly script: (...replies: readonly Reply[]) => void;
  /** What is answered when the script is used up; without it such a request gets a 500 that the client must report. */
  readonly otherwise: (answer: (request: MessagesRequest) => Reply) => void;
  /** Resolves when the server has read so many requests. */
  readonly received: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const MAX_CACHE_BREAKPOINTS = 4;
const DEFAULT_USAGE: ServerUsage = {
  input_tokens: 100,
  output_tokens: 50,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/** Starts a server on a free port of 127.0.0.1 that speaks the Messages protocol and refuses what the real one refuses. */
export async function startMessagesServer(apiKey = 'test-key'): Promise<MessagesServer> {
  const script: Reply[] = [];
  const requests: MessagesRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let otherwise: (request: MessagesRequest) => Reply = reportUsedUp;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await bodyOf(request);
    const refusal = refusalOf(request, text, apiKey);
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    const body = requestBody.parse(JSON.parse(text));
    requests.push(body);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    play(script.shift() ?? otherwise(body), body, response);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    apiKey,
    requests,
    script: (...replies) => void script.push(...replies),
    otherwise: (answer) => {
      otherwise = answer;
    },
    received: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function reportUsedUp(): Reply {
  return { kind: 'error', status: 500, type: 'api_error', message: 'script used up' };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * What the real server would refuse: address, version, key, body. The older version of the API takes the key as `x-api-key`,
 * the newer one, which the client speaks since its 1.0, as a bearer token.
 */
function refusalOf(request: IncomingMessage, text: string, apiKey: string): Reply | undefined {
  if (request.method !== 'POST' || request.url !== '/v1/messages')
    return invalid(404, 'not_found_error', 'no such address');
  const version = request.headers['anthropic-version'];
  if (version !== '2023-06-01' && version !== '2026-10-21')
    return invalid(400, 'invalid_request_error', 'unknown anthropic-version');
  const key =
    version === '2023-06-01'
      ? request.headers['x-api-key']
      : /^Bearer (.+)$/u.exec(request.headers.authorization ?? '')?.[1];
  if (key !== apiKey) return invalid(401, 'authentication_error', 'invalid API key');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return invalid(400, 'invalid_request_error', 'the body is no JSON');
  }
  const body = requestBody.safeParse(json);
  if (!body.success) return invalid(400, 'invalid_request_error', z.prettifyError(body.error));
  if (breakpointsOf(body.data) > MAX_CACHE_BREAKPOINTS)
    return invalid(400, 'invalid_request_error', 'at most 4 blocks may have cache_control');
  if (body.data.messages[0]?.role !== 'user')
    return invalid(400, 'invalid_request_error', 'the first message must be of the user');
  return strictnessProblem(body.data.output_config?.format.schema);
}

function invalid(status: number, type: string, message: string): Reply {
  return { kind: 'error', status, type, message };
}

function breakpointsOf({ system, messages }: MessagesRequest): number {
  const blocks = [system ?? [], ...messages.map((message) => message.content)].flatMap((part) =>
    typeof part === 'string' ? [] : part,
  );
  return blocks.filter((block) => block.cache_control !== undefined).length;
}

/** Structured output wants closed objects whose every property is required, and none of these keywords. */
function strictnessProblem(schema: unknown): Reply | undefined {
  if (Array.isArray(schema)) return schema.map(strictnessProblem).find((problem) => problem !== undefined);
  if (schema === null || typeof schema !== 'object') return undefined;
  const node: Readonly<Record<string, unknown>> = { ...schema };
  if (node['type'] === 'object') {
    const properties = node['properties'];
    const names = properties !== null && typeof properties === 'object' ? Object.keys(properties) : [];
    const required = Array.isArray(node['required']) ? node['required'] : [];
    if (node['additionalProperties'] !== false || names.some((name) => !required.includes(name))) {
      return invalid(
        400,
        'invalid_request_error',
        'output_config.format.schema: objects must be closed and all properties required',
      );
    }
  }
  const banned = ['maxLength', 'minLength', 'minimum', 'maximum', 'maxItems'].find(
    (keyword) => typeof node[keyword] === 'number',
  );
  if (banned !== undefined)
    return invalid(400, 'invalid_request_error', `output_config.format.schema: ${banned} is not supported`);
  return strictnessProblem(Object.values(node));
}

function play(reply: Reply, request: MessagesRequest, response: ServerResponse): void {
  switch (reply.kind) {
    case 'message':
      send(response, { kind: 'raw', body: JSON.stringify(messageOf(reply, request)) });
      return;
    case 'error':
    case 'raw':
      send(response, reply);
      return;
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id": "msg_');
      return;
    case 'hang-up':
      response.destroy();
      return;
    case 'silence':
  }
}

function messageOf(
  { answer, stopReason, usage }: Extract<Reply, { kind: 'message' }>,
  request: MessagesRequest,
): unknown {
  return {
    id: 'msg_test',
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [{ type: 'text', text: typeof answer === 'string' ? answer : JSON.stringify(answer), citations: null }],
    stop_reason: stopReason ?? 'end_turn',
    stop_sequence: null,
    usage: { ...DEFAULT_USAGE, ...usage },
  };
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply.kind === 'error') {
    const body = {
      type: 'error',
      error: { type: reply.type, message: reply.message ?? reply.type },
      request_id: 'req_test',
    };
    response.writeHead(reply.status, {
      'content-type': 'application/json',
      'request-id': 'req_test',
      ...reply.headers,
    });
    response.end(JSON.stringify(body));
  } else if (reply.kind === 'raw') {
    response.writeHead(200, { 'content-type': 'application/json', 'request-id': 'req_test' });
    response.end(reply.body);
  }
}

/** All text of a request that stands outside `system`: what changes from call to call. */
export function userTextOf({ messages }: MessagesRequest): string {
  return messages
    .map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join('\n')))
    .join('\n');
}
