import { Client, credentials, Metadata } from '@grpc/grpc-js';

export interface SearchChannelOptions {
  /** `host:port` of the server's gRPC. */
  readonly address: string;
  readonly secure: boolean;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly insertTimeoutMs: number;
}

/** Searches and batches over one gRPC channel, which connects with the first of them and again after it was lost. */
export interface SearchChannel {
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
export function openSearchChannel({
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
