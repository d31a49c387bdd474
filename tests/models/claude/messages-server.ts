import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Prices } from '../../../config/provider-settings.ts';
import { authoredReply } from './author.ts';
import { BatchShelf, type BatchPlan } from './server/batches.ts';
import { inputTokens, PromptCache } from './server/prompt-cache.ts';
import {
  checkBatch,
  checkCount,
  checkMessage,
  type MessagesRequest,
  refusal,
  refusedHeaders,
} from './server/protocol.ts';
import {
  playFault,
  priceOf,
  type Reply,
  sendJson,
  type ServerUsage,
  writeMessage,
  type WrittenMessage,
} from './server/replies.ts';
import { bodyOf, type Endpoint, jsonOf, routeOf } from './server/routes.ts';

export type { BatchPlan } from './server/batches.ts';
export type { Endpoint } from './server/routes.ts';
export { isRepair, type MessagesRequest, userTextOf } from './server/protocol.ts';
export type { Reply, ServerUsage } from './server/replies.ts';

/** One call as the server saw it. Parts of a batch have an entry of their own. */
export interface CallRecord {
  readonly endpoint: Endpoint;
  /** Null if the connection was left open or closed without a response. */
  readonly status: number | null;
  readonly model: string | null;
  readonly usage: ServerUsage | null;
  readonly usd: number;
  /** Id of a part of a batch; null for a direct call. */
  readonly customId: string | null;
}

export interface MessagesServerOptions {
  readonly apiKey?: string;
  /** Unix time in milliseconds, for the lifetime of cached prefixes and batches. Default: the machine's. */
  readonly now?: () => number;
  /** Prices of a model. Default: the default models' prices. */
  readonly prices?: (model: string) => Prices;
  /** Price share of a batch part. Default: half. */
  readonly batchPriceShare?: number;
  /** True if the built-in author responds to requests beyond the script. */
  readonly author?: boolean;
  /** Number of input tokens that it counts for one of o200k. Default 1. */
  readonly tokenFactor?: number;
}

export interface MessagesServer {
  /** For the client's `baseUrl`. */
  readonly url: string;
  readonly apiKey: string;
  /** Well-formed direct requests for a message so far, in order. */
  readonly requests: readonly MessagesRequest[];
  /** Every call so far, counting and batches included. */
  readonly log: readonly CallRecord[];
  /** US dollars billed so far. */
  readonly bill: () => number;
  /** Appends replies to the script of messages, direct ones and parts of batches; they are used up in order. */
  readonly script: (...replies: readonly Reply[]) => void;
  /** Replies after the script's end; without them and without the author such a request gets a 500 that the client must report. */
  readonly otherwise: (answer: (request: MessagesRequest) => Reply) => void;
  /** Replies for the next calls of that kind, for any request. */
  readonly fault: (endpoint: Endpoint, ...replies: readonly Exclude<Reply, { kind: 'message' }>[]) => void;
  /** Reply for every call from now on; null: the provider is available again. */
  readonly down: (reply: Exclude<Reply, { kind: 'message' }> | null) => void;
  /** Outcomes of the next batches, in order. */
  readonly planBatches: (...plans: readonly BatchPlan[]) => void;
  /** Resolves when the server has read so many direct requests. */
  readonly received: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

const SMALL_PRICES = { inputUsdPerMTok: 1, outputUsdPerMTok: 5, cacheWriteUsdPerMTok: 1.25, cacheReadUsdPerMTok: 0.1 };
const LARGE_PRICES = { inputUsdPerMTok: 3, outputUsdPerMTok: 15, cacheWriteUsdPerMTok: 3.75, cacheReadUsdPerMTok: 0.3 };
const DEFAULT_LISTED = 20;

function defaultPrices(model: string): Prices {
  return model.includes('haiku') ? SMALL_PRICES : LARGE_PRICES;
}

/** Starts a server on a free port of 127.0.0.1 with Messages, token counting and Message Batches; rejects the same requests as the real one. */
export async function startMessagesServer({
  apiKey = 'test-key',
  now = Date.now,
  prices = defaultPrices,
  batchPriceShare = 0.5,
  author = false,
  tokenFactor = 1,
}: MessagesServerOptions = {}): Promise<MessagesServer> {
  const script: Reply[] = [];
  const faults = new Map<Endpoint, Exclude<Reply, { kind: 'message' }>[]>();
  const plans: BatchPlan[] = [];
  const requests: MessagesRequest[] = [];
  const log: CallRecord[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const cache = new PromptCache(now, tokenFactor);
  let otherwise: (request: MessagesRequest) => Reply = author ? authoredReply : reportUsedUp;
  let outage: Exclude<Reply, { kind: 'message' }> | null = null;
  let url = '';

  const note = (entry: Partial<CallRecord> & Pick<CallRecord, 'endpoint' | 'status'>) =>
    void log.push({ model: null, usage: null, usd: 0, customId: null, ...entry });

  const billed = (message: WrittenMessage, endpoint: Endpoint, customId: string | null) => {
    const usd = priceOf(message.usage, prices(message.model), customId === null ? 1 : batchPriceShare);
    note({ endpoint, status: 200, model: message.model, usage: message.usage, usd, customId });
    return message;
  };

  const shelf = new BatchShelf({
    now,
    url: () => url,
    answer: (request, customId, planned) => {
      const reply = planned ?? script.shift() ?? otherwise(request);
      return reply.kind === 'message' ? billed(writeMessage(reply, request, cache), 'batch-create', customId) : reply;
    },
  });

  const answerMessage = (json: unknown, response: ServerResponse) => {
    const request = checkMessage(json);
    if (!request.ok) {
      note({ endpoint: 'messages', status: playFault(request.refusal, response) });
      return;
    }
    requests.push(request.body);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
    const reply = script.shift() ?? otherwise(request.body);
    if (reply.kind === 'message')
      sendJson(response, billed(writeMessage(reply, request.body, cache), 'messages', null));
    else note({ endpoint: 'messages', model: request.body.model, status: playFault(reply, response) });
  };

  const answerCount = (json: unknown, response: ServerResponse) => {
    const request = checkCount(json);
    if (request.ok) {
      note({ endpoint: 'count', status: 200, model: request.body.model });
      sendJson(response, { input_tokens: inputTokens(request.body, tokenFactor) });
    } else note({ endpoint: 'count', status: playFault(request.refusal, response) });
  };

  const makeBatch = (json: unknown, response: ServerResponse) => {
    const request = checkBatch(json);
    if (!request.ok) {
      note({ endpoint: 'batch-create', status: playFault(request.refusal, response) });
      return;
    }
    const plan = plans.shift() ?? {};
    const batch = shelf.make(request.body, plan);
    note({ endpoint: 'batch-create', status: plan.loseAnswer === true ? null : 200 });
    if (plan.loseAnswer === true) response.destroy();
    else sendJson(response, shelf.view(batch));
  };

  const answerBatch = (endpoint: Endpoint, id: string, response: ServerResponse) => {
    const batch = shelf.find(id);
    const isReady = batch !== undefined && (endpoint !== 'batch-results' || batch.results !== null);
    note({ endpoint, status: isReady ? 200 : 404 });
    if (!isReady) {
      playFault(refusal(404, 'not_found_error', 'no such batch'), response);
      return;
    }
    if (endpoint === 'batch-results') {
      const { body, breaksOff } = shelf.lines(batch);
      response.writeHead(200, { 'content-type': 'application/x-jsonl' });
      response.write(body, () => {
        if (breaksOff) response.destroy();
        else response.end();
      });
      return;
    }
    if (endpoint === 'batch-cancel') shelf.cancel(batch);
    else shelf.look(batch);
    sendJson(response, shelf.view(batch));
  };

  const listBatches = (query: URLSearchParams, response: ServerResponse) => {
    const limit = Number(query.get('limit') ?? DEFAULT_LISTED);
    const found = shelf.list(limit + 1, query.get('after_id'));
    const page = found.slice(0, limit);
    note({ endpoint: 'batch-list', status: 200 });
    sendJson(response, {
      data: page.map((batch) => shelf.view(batch)),
      has_more: found.length > limit,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    });
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await bodyOf(request);
    const address = new URL(request.url ?? '/', 'http://localhost');
    const route = routeOf(request.method ?? '', address.pathname);
    if (route === undefined) {
      playFault(refusal(404, 'not_found_error', 'no such address'), response);
      return;
    }
    const refused = refusedHeaders(request, apiKey);
    const fault = refused ?? outage ?? faults.get(route.endpoint)?.shift();
    if (fault !== undefined) {
      if (refused === undefined) countRefused(route.endpoint, text);
      note({ endpoint: route.endpoint, status: playFault(fault, response) });
      return;
    }
    const json = jsonOf(text);
    if (route.endpoint === 'messages') answerMessage(json, response);
    else if (route.endpoint === 'count') answerCount(json, response);
    else if (route.endpoint === 'batch-create') makeBatch(json, response);
    else if (route.endpoint === 'batch-list') listBatches(address.searchParams, response);
    else answerBatch(route.endpoint, route.id, response);
  };

  /** Records well-formed requests that a scripted fault rejected. */
  const countRefused = (endpoint: Endpoint, text: string) => {
    const request = endpoint === 'messages' ? checkMessage(jsonOf(text)) : undefined;
    if (request?.ok !== true) return;
    requests.push(request.body);
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve();
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  url = `http://127.0.0.1:${String(address.port)}`;
  return {
    url,
    apiKey,
    requests,
    log,
    bill: () => log.reduce((sum, { usd }) => sum + usd, 0),
    script: (...replies) => void script.push(...replies),
    otherwise: (answer) => {
      otherwise = answer;
    },
    fault: (endpoint, ...replies) => void faults.set(endpoint, [...(faults.get(endpoint) ?? []), ...replies]),
    down: (reply) => {
      outage = reply;
    },
    planBatches: (...more) => void plans.push(...more),
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

/** Returns the settings of an instance that uses this server as its provider. */
export function providerSettings({ url, apiKey }: Pick<MessagesServer, 'url' | 'apiKey'>): Record<string, string> {
  return { RECOLLECT_MODEL_PROVIDER: 'anthropic', ANTHROPIC_API_KEY: apiKey, RECOLLECT_ANTHROPIC_BASE_URL: url };
}
