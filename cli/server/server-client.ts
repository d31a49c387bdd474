import { z } from 'zod';

/** Parts of the answers that callers rely on; what the server adds later passes through unseen. */
const hookAnswer = z.object({ hookSpecificOutput: z.object({ additionalContext: z.string() }).optional() });

const session = z.object({
  id: z.string(),
  status: z.string(),
  phase: z.string(),
  title: z.string().nullable(),
  waiting_reason: z.string().nullable(),
  counts: z.object({
    prompts: z.number(),
    observations: z.number(),
    tokens: z.number(),
    summaries: z.number(),
    learnings: z.number(),
  }),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
});
export type SessionAnswer = z.output<typeof session>;

const errorAnswer = z.object({ error: z.string(), code: z.string() });

export interface ClientOptions {
  readonly url: string;
  readonly apiKey: string;
  /** Bound of one request. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** The server said no, with its machine code; or it did not answer at all (`UNREACHABLE`). */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = status;
  }
}

/** A running server as the command line uses it. Every method rejects with ClientError. */
export class ServerClient {
  private readonly options: ClientOptions;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** Delivers one hook; answers the context that the server gives for it, '' for none. */
  async hook(event: string, payload: unknown, deliveryId: string): Promise<string> {
    const answer = await this.request('POST', `/hooks/${event}`, hookAnswer, payload, {
      'x-recollect-delivery': deliveryId,
    });
    return answer.hookSpecificOutput?.additionalContext ?? '';
  }

  session(id: string): Promise<SessionAnswer> {
    return this.request('GET', `/sessions/${encodeURIComponent(id)}`, session);
  }

  /** One request to a route under `/api/v1`; answers what the schema knows of its answer. */
  async request<Answer>(
    method: string,
    path: string,
    schema: z.ZodType<Answer>,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await this.reach(method, path, {
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(this.options.timeoutMs ?? TIMEOUT_MS),
    });
    return this.read(response, schema);
  }

  /** Sends a stream as a request's body, however long it takes. */
  async upload<Answer>(
    path: string,
    type: string,
    body: ReadableStream<Uint8Array>,
    schema: z.ZodType<Answer>,
  ): Promise<Answer> {
    const init = { headers: { 'content-type': type }, body, duplex: 'half' } as const;
    return this.read(await this.reach('POST', path, init), schema);
  }

  /** The body of an answer, to be read as it comes. */
  async download(path: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.reach('GET', path, {});
    if (response.ok && response.body !== null) return response.body;
    return this.read(response, z.never());
  }

  private async reach(method: string, path: string, init: RequestInit): Promise<Response> {
    const { url, apiKey } = this.options;
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${apiKey}`);
    try {
      return await fetch(`${url}/api/v1${path}`, { ...init, method, headers });
    } catch (error) {
      throw new ClientError('UNREACHABLE', `${url} does not answer`, 0, error);
    }
  }

  private async read<Answer>(response: Response, schema: z.ZodType<Answer>): Promise<Answer> {
    let answer: unknown;
    try {
      answer = await response.json();
    } catch (error) {
      throw new ClientError('UNREACHABLE', `${this.options.url} does not answer`, 0, error);
    }
    if (response.ok) return schema.parse(answer);
    const said = errorAnswer.safeParse(answer);
    throw new ClientError(
      said.data?.code ?? 'UNKNOWN',
      said.data?.error ?? `answered ${response.status}`,
      response.status,
    );
  }
}
