import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { z } from 'zod';

/** Faults of the server. */
export type EmbeddingsFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'dimension'; readonly dimension: number }
  | { readonly kind: 'short' }
  | { readonly kind: 'not-finite' }
  | { readonly kind: 'garbage' }
  /** A body that never ends, without a length. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'cut' };

const requestShape = z.strictObject({
  model: z.string(),
  input: z.array(z.string()).min(1),
  dimensions: z.number().optional(),
  encoding_format: z.literal('float').optional(),
  input_type: z.enum(['query', 'document']).optional(),
});
export type EmbeddingsRequest = z.output<typeof requestShape>;

export interface EmbeddingsServer {
  /** For `RECOLLECT_EMBEDDING_URL`. */
  readonly url: string;
  /** Well-formed requests so far, in order. */
  readonly requests: readonly EmbeddingsRequest[];
  /** Faults of the next requests, in order. */
  fault(...faults: readonly EmbeddingsFault[]): void;
  /** Fault of every request from now on, or of a model after that many requests; null: the provider is available again. */
  down(fault: EmbeddingsFault | null, only?: { readonly model: string; readonly after: number }): void;
  close(): Promise<void>;
}

/** The server's vector of a text: one component per word, so that texts with common words are near. */
export function serverVector(text: string, dimension: number): number[] {
  const vector = Array.from({ length: dimension }, () => 0.001);
  for (const word of text.toLowerCase().match(/[a-z0-9]+/gu) ?? []) {
    const place = createHash('sha256').update(word).digest().readUInt32LE(0) % dimension;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  return vector;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function* endless(): Generator<string> {
  for (;;) yield ' '.repeat(65_536);
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

/** Starts a server on a free port of 127.0.0.1 with `POST /v1/embeddings`; rejects the same requests as real ones. Vectors are not normalised. */
export async function startEmbeddingsServer(
  options: { readonly apiKey?: string; readonly dimension?: number } = {},
): Promise<EmbeddingsServer> {
  const { apiKey = 'embedding-key', dimension = 32 } = options;
  const requests: EmbeddingsRequest[] = [];
  const faults: EmbeddingsFault[] = [];
  let outage: EmbeddingsFault | null = null;
  let outageOf: { readonly model: string; readonly after: number } | null = null;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await bodyOf(request);
    if (request.method !== 'POST' || request.url !== '/v1/embeddings') return send(response, 404, '{}');
    if (request.headers.authorization !== `Bearer ${apiKey}`) return send(response, 401, '{"error":{"message":"no"}}');
    const parsed = requestShape.safeParse(JSON.parse(text));
    if (!parsed.success) return send(response, 400, '{"error":{"message":"not understood"}}');
    requests.push(parsed.data);
    const { input, model, dimensions = dimension } = parsed.data;
    const isOut =
      outageOf === null ||
      (outageOf.model === model && requests.filter((one) => one.model === model).length > outageOf.after);
    const fault = (isOut ? outage : null) ?? faults.shift() ?? null;
    const width = fault?.kind === 'dimension' ? fault.dimension : dimensions;
    const data = input.map((words, index) => ({ object: 'embedding', index, embedding: serverVector(words, width) }));
    switch (fault?.kind) {
      case 'status':
        return send(response, fault.status, '{"error":{"message":"scripted failure"}}', fault.headers);
      case 'garbage':
        return send(response, 200, '<html>a gateway</html>');
      case 'endless':
        response.writeHead(200, { 'content-type': 'application/json' });
        Readable.from(endless()).pipe(response);
        return;
      case 'silence':
        return;
      case 'cut':
        response.destroy();
        return;
      case 'not-finite':
        return send(response, 200, JSON.stringify({ data }).replace(/1\.001|0\.001/u, '1e999'));
      case 'short':
        data.pop();
        break;
      case 'dimension':
      case undefined:
        break;
    }
    // Out of order, as a provider may.
    const tokens = input.join(' ').split(' ').length;
    send(
      response,
      200,
      JSON.stringify({
        object: 'list',
        data: data.toReversed(),
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      }),
    );
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`,
    requests,
    fault: (...more) => void faults.push(...more),
    down: (fault, only) => {
      outage = fault;
      outageOf = only ?? null;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
