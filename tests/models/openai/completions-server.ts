import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createTokenCounter } from '../../../models/tokens/token-counter.ts';
import { authoredReply } from '../claude/author.ts';
import { completionRequest, faultOf, schemaFaults, usageOf } from './dialects.ts';
import type { CompletionRequest, Dialect, FaultKind, PlayedResponse } from './dialects.ts';

const { count } = createTokenCounter();

/** The server's reply to one request. */
export type Played =
  /** `answer` is JSON-encoded unless it is a string. */
  | { readonly kind: 'answer'; readonly answer: unknown; readonly finish?: string; readonly refusal?: string }
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly quoted?: string }
  | { readonly kind: 'raw'; readonly response: PlayedResponse }
  /** Sends nothing, and leaves the connection open. */
  | { readonly kind: 'silence' }
  /** Closes the connection in the middle of the body. */
  | { readonly kind: 'reset' };

export interface CompletionsServerOptions {
  readonly dialect: Dialect;
  readonly apiKey?: string;
  /** It reads only so many tokens of a prompt, as Ollama does, and reports nothing. Default: all. */
  readonly contextTokens?: number;
}

export interface CompletionsServer {
  /** With `/v1`. */
  readonly url: string;
  /** Requests that the dialect accepts, in order, those with a scripted fault included. */
  readonly requests: readonly CompletionRequest[];
  /** Number of responses with a completion: each would be paid. */
  readonly answered: () => number;
  /** Replies for the next requests; then the built-in author answers. */
  readonly script: (...replies: readonly Played[]) => void;
  /** Reply to every request from now on; null: the server is available again. */
  readonly down: (reply: Played | null) => void;
  readonly close: () => Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1 with `POST /v1/chat/completions` in a dialect; rejects what that dialect rejects. */
export async function startCompletionsServer({
  dialect,
  apiKey,
  contextTokens = Number.POSITIVE_INFINITY,
}: CompletionsServerOptions): Promise<CompletionsServer> {
  const requests: CompletionRequest[] = [];
  const script: Played[] = [];
  let outage: Played | null = null;
  let answered = 0;

  const send = (response: ServerResponse, { status, headers = {}, body }: PlayedResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  const completion = (
    request: CompletionRequest,
    { answer, finish = 'stop', refusal }: Extract<Played, { kind: 'answer' }>,
  ) => {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    const prompt = Math.min(contextTokens, count(request.messages.map(({ content }) => content).join('\n')));
    answered += 1;
    return {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      model: request.model,
      choices: [
        {
          index: 0,
          finish_reason: finish,
          message: { role: 'assistant', content: text, ...(refusal === undefined ? {} : { refusal }) },
        },
      ],
      usage: usageOf(dialect, prompt, count(text)),
    };
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const play = (played: Played, body: CompletionRequest | null): void => {
      switch (played.kind) {
        case 'fault':
          send(response, faultOf(dialect, played.fault, played.quoted ?? ''));
          return;
        case 'raw':
          send(response, played.response);
          return;
        case 'silence':
          return;
        case 'reset':
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
          response.write('{"choices": [', () => response.destroy());
          return;
        case 'answer':
          if (body !== null) send(response, { status: 200, body: completion(body, played) });
      }
    };
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
      play({ kind: 'fault', fault: 'no-model' }, null);
      return;
    }
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      play({ kind: 'fault', fault: 'wrong-key' }, null);
      return;
    }
    const parsed = completionRequest.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    if (!parsed.success || schemaFaults(parsed.data.response_format.json_schema.schema).length > 0) {
      play({ kind: 'fault', fault: 'bad-request' }, null);
      return;
    }
    requests.push(parsed.data);
    play(outage ?? script.shift() ?? authored(parsed.data), parsed.data);
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
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    answered: () => answered,
    script: (...replies) => void script.push(...replies),
    down: (reply) => {
      outage = reply;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Returns the response of the simulated model, which also writes those of the Messages API. */
function authored({ model, messages: [, user], response_format: { json_schema } }: CompletionRequest): Played {
  const reply = authoredReply({
    model,
    max_tokens: 1_500,
    messages: [{ role: 'user', content: user.content }],
    output_config: { format: { type: 'json_schema', schema: json_schema.schema } },
  });
  return { kind: 'answer', answer: reply.kind === 'message' ? reply.answer : '' };
}

/** Returns the settings of an instance that uses this server for the provider `openai`. */
export function serverSettings({ url }: Pick<CompletionsServer, 'url'>): Record<string, string> {
  return { RECOLLECT_OPENAI_BASE_URL: url, RECOLLECT_OPENAI_LARGE_MODEL: 'local-test-model' };
}
