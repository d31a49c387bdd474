import { ApiKey, connectToCustom } from 'weaviate-client';
import type { WeaviateClient } from 'weaviate-client';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

interface SearchChannelOptions {
  /** `host:port` of the server's gRPC. */
  readonly address: string;
  readonly secure: boolean;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly insertTimeoutMs: number;
}

/** Searches and batches over one gRPC channel, which connects with the first of them and again after it was lost. */
interface SearchChannel {
  /** Sends an encoded SearchRequest, returns an encoded SearchReply. @throws Error with the code's name in its message */
  search(request: Uint8Array): Promise<Uint8Array>;
  /** The same for a page of complete objects, within `insertTimeoutMs`. */
  page(request: Uint8Array): Promise<Uint8Array>;
  /** Sends an encoded BatchObjectsRequest, returns an encoded BatchObjectsReply. @throws as `search` */
  insert(request: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** As much as the server takes; the default, 4 MiB, is less than a page of long vectors. */
const MAX_ANSWER_BYTES = 104_857_600;

const SEARCH = '/weaviate.v1.Weaviate/Search';
const BATCH = '/weaviate.v1.Weaviate/BatchObjects';

/** messages.ts encodes and decodes messages: the channel transports bytes. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asBytes = (bytes: Buffer): Uint8Array => bytes;

/**
 * Opens a channel without Weaviate's client: its builders and readers took 5 ms of processor time for the two retrievers of a search,
 * more than half of the API's time besides embedding; these take 2 ms.
 */
function openSearchChannel({
  address,
  secure,
  apiKey,
  timeoutMs,
  insertTimeoutMs,
}: SearchChannelOptions): SearchChannel {
  const client = new Client(address, secure ? credentials.createSsl() : credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
  });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${apiKey}`);
  const call = (method: string, request: Uint8Array, withinMs: number): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + withinMs;
      client.makeUnaryRequest(method, asBuffer, asBytes, request, metadata, { deadline }, (error, reply) => {
        if (reply === undefined) reject(error ?? new Error('UNAVAILABLE: an answer without a message'));
        else resolve(reply);
      });
    });
  return {
    search: (request) => call(SEARCH, request, timeoutMs),
    page: (request) => call(SEARCH, request, insertTimeoutMs),
    insert: (request) => call(BATCH, request, insertTimeoutMs),
    close: () => client.close(),
  };
}

export interface WeaviateConnectionOptions {
  /** REST address, e.g. `http://127.0.0.1:8080`. gRPC has TLS where REST has it. */
  readonly url: string;
  /** Host of gRPC; default: that of the REST address. */
  readonly grpcHost?: string | undefined;
  readonly grpcPort: number;
  readonly apiKey: string;
  readonly timeoutsSeconds: { readonly connect: number; readonly query: number; readonly insert: number };
}

/** One client, connected when first needed, dropped when the server stops responding, and connected again by the next call. */
export interface WeaviateConnection {
  /** Runs `work` with a connected client. @throws VectorIndexUnavailable, or NotThere when the server misses tenant or collection */
  run<Result>(work: (client: WeaviateClient) => Promise<Result>): Promise<Result>;
  /** Sends an encoded search and returns the encoded reply. @throws as `run` */
  search(request: Uint8Array): Promise<Uint8Array>;
  /** The same for a response with many complete objects, which may take as long as a batch. */
  page(request: Uint8Array): Promise<Uint8Array>;
  /** Sends an encoded batch of objects and returns the encoded reply. @throws as `run` */
  insert(request: Uint8Array): Promise<Uint8Array>;
  /** Round trip of the readiness check in milliseconds. @throws VectorIndexUnavailable */
  ping(): Promise<number>;
  /** Number of connections so far: earlier knowledge about the server may no longer apply. */
  generation(): number;
  close(): Promise<void>;
}

/** The server responds, but has no such tenant or collection. */
export class NotThere extends Error {
  override readonly name = 'NotThere';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The server's messages for a missing tenant or collection, over gRPC and REST. */
const MISSING = /tenant not found|could not find class|class (?:.* )?not (?:found|present)|collection .* not found/iu;

/** Returns true if the server's message reports a missing tenant or collection. */
export function reportsMissing(message: string): boolean {
  return MISSING.test(message);
}

/** The client's messages if there was no response; all others are responses. */
const NO_RESPONSE =
  /UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED|fetch failed|ECONN|EPIPE|socket|timed out|aborted|channel|UNAUTHENTICATED/iu;

/** A call that takes longer is checked upon: the client alone would retry for seconds against a server that is lost. */
const SLOW_CALL_MS = 300;

/** Opens nothing yet. */
export function createConnection(options: WeaviateConnectionOptions): WeaviateConnection {
  const { url, grpcPort, apiKey, timeoutsSeconds } = options;
  const address = new URL(url);
  const grpcHost = options.grpcHost ?? address.hostname;
  const secure = address.protocol === 'https:';
  let client: Promise<WeaviateClient> | undefined;
  let channel: SearchChannel | undefined;
  let generation = 0;
  let closed = false;

  const open = async (): Promise<WeaviateClient> => {
    try {
      return await connectToCustom({
        httpHost: address.hostname,
        httpPort: Number(address.port === '' ? (secure ? 443 : 80) : address.port),
        httpPath: address.pathname === '/' ? '' : address.pathname,
        httpSecure: secure,
        grpcHost,
        grpcPort,
        grpcSecure: secure,
        authCredentials: new ApiKey(apiKey),
        timeout: { init: timeoutsSeconds.connect, query: timeoutsSeconds.query, insert: timeoutsSeconds.insert },
      });
    } catch (cause) {
      // The client words a refused key, a closed port and a server that still starts in many ways; all mean the same here.
      throw new VectorIndexUnavailable(`no connection to Weaviate: ${messageOf(cause)}`, { cause });
    }
  };

  const requireOpen = (): void => {
    if (closed) throw new VectorIndexUnavailable('the connection to Weaviate is closed');
  };

  const connect = async (): Promise<WeaviateClient> => {
    requireOpen();
    client ??= open();
    return client;
  };

  const searchChannel = (): SearchChannel => {
    requireOpen();
    channel ??= openSearchChannel({
      address: `${grpcHost}:${grpcPort}`,
      secure,
      apiKey,
      timeoutMs: timeoutsSeconds.query * 1_000,
      insertTimeoutMs: timeoutsSeconds.insert * 1_000,
    });
    return channel;
  };

  const drop = async (): Promise<void> => {
    const dropped = client;
    client = undefined;
    channel?.close();
    channel = undefined;
    generation += 1;
    // A connection that was never made has nothing to close.
    await dropped?.then(
      async (connected) => connected.close(),
      () => undefined,
    );
  };

  const ping = async (): Promise<number> => {
    const started = performance.now();
    const signal = AbortSignal.timeout(timeoutsSeconds.connect * 1_000);
    try {
      const response = await fetch(new URL('/v1/.well-known/ready', url), { signal });
      await response.arrayBuffer();
      if (response.ok) return performance.now() - started;
    } catch (cause) {
      throw new VectorIndexUnavailable(`Weaviate does not answer: ${messageOf(cause)}`, { cause });
    }
    throw new VectorIndexUnavailable('Weaviate is not ready');
  };

  /** Rejects as soon as the server is found unresponsive while `work` is slow; otherwise settles as `work`. */
  const watched = async <Result>(work: Promise<Result>): Promise<Result> => {
    const lost = Promise.withResolvers<never>();
    const timer = setTimeout(() => void ping().catch(lost.reject), SLOW_CALL_MS);
    try {
      return await Promise.race([work, lost.promise]);
    } finally {
      clearTimeout(timer);
    }
  };

  /** Translates failures to the errors that callers know, and drops the connection if there was no response. */
  const mapErrors = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await watched(work());
    } catch (error) {
      const message = messageOf(error);
      if (reportsMissing(message)) throw new NotThere(message, { cause: error });
      if (error instanceof VectorIndexUnavailable || NO_RESPONSE.test(message)) await drop();
      if (error instanceof VectorIndexUnavailable) throw error;
      throw new VectorIndexUnavailable(`Weaviate: ${message}`, { cause: error });
    }
  };

  return {
    run: (work) => mapErrors(async () => work(await connect())),
    search: (request) => mapErrors(async () => searchChannel().search(request)),
    page: (request) => mapErrors(async () => searchChannel().page(request)),
    insert: (request) => mapErrors(async () => searchChannel().insert(request)),
    ping,
    generation: () => generation,
    async close() {
      closed = true;
      await drop();
    },
  };
}
