import type { z } from 'zod';
import { Requester } from '../../client/requester.ts';
import type { Request } from '../../client/requester.ts';
import type { ClientOptions } from '../../client/index.ts';
import { hookAnswer } from '../../contract/events.ts';
import { sessionDetail, summarySchema } from '../../contract/sessions.ts';
import type { SessionDetail, Summary } from '../../contract/sessions.ts';
import { cursorPageOf } from '../../contract/shared.ts';
import type { Environment } from '../../config/process-environment.ts';
import { untilEnded } from '../waiting.ts';
import { serverAccess } from './access.ts';

/** Returns a path whose values are encoded. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

/** Returns the server of `serverAccess`, with a time limit for each request; null where there is none yet. @throws Error for a file that is none */
export function serverOf(dataDir: string, environment: Environment, timeoutMs: number): ServerClient | null {
  const access = serverAccess(dataDir, environment);
  return access === null ? null : new ServerClient({ ...access, timeoutMs });
}

/** A running server as the command line uses it: requests are not retried. Every method rejects with RecollectError. */
export class ServerClient {
  /** Address of the server, without a slash at its end. */
  readonly url: string;
  private readonly requester: Requester;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.requester = new Requester({ retries: 0, ...options });
  }

  /** Delivers one hook. Returns the context of the answer, '' for none. */
  async hook(event: string, payload: unknown, deliveryId: string): Promise<string> {
    const headers = { 'x-recollect-delivery': deliveryId };
    const answer = await this.request('POST', `/hooks/${event}`, hookAnswer, { body: payload, headers });
    return answer.hookSpecificOutput?.additionalContext ?? '';
  }

  session(id: string): Promise<SessionDetail> {
    return this.get(path`/sessions/${id}`, sessionDetail);
  }

  /** Returns the summaries of a session: its own first, then topics and items in order. */
  async summaries(sessionId: string): Promise<Summary[]> {
    const all: Summary[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const query = { limit: 100, cursor };
      const page = await this.get(path`/sessions/${sessionId}/summaries`, cursorPageOf(summarySchema), query);
      all.push(...page.data);
      cursor = page.pagination.next_cursor ?? undefined;
    }
    return all;
  }

  /** Polls a row until it is not running; returns it. Rejects with the abort error, too, when `signal` aborts. */
  ended<Schema extends z.ZodType<{ readonly state: string }>>(
    address: string,
    schema: Schema,
    signal?: AbortSignal,
  ): Promise<z.output<Schema>> {
    return untilEnded(
      () => this.get(address, schema),
      ({ state }) => state,
      signal,
    );
  }

  get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    query?: Readonly<Record<string, string | number | boolean | undefined>>,
  ): Promise<z.output<Schema>> {
    return this.request('GET', path, schema, { query });
  }

  post<Schema extends z.ZodType>(path: string, schema: Schema, body?: unknown): Promise<z.output<Schema>> {
    return this.request('POST', path, schema, { body });
  }

  /** Sends one request to a route under `/api/v1`. Returns the answer as the schema parses it. */
  async request<Schema extends z.ZodType>(
    method: Request['method'],
    path: string,
    schema: Schema,
    { query, body, headers }: Pick<Request, 'query' | 'body' | 'headers'> = {},
  ): Promise<z.output<Schema>> {
    return schema.parse(await this.requester.send({ method, path, query, body, headers, repeatable: false }));
  }

  /** Sends a stream as the body of a request, without a time limit. */
  async upload<Schema extends z.ZodType>(
    path: string,
    type: string,
    body: ReadableStream<Uint8Array<ArrayBuffer>>,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const headers = { 'content-type': type };
    const request = { method: 'POST', path, raw: body, headers, repeatable: false } as const;
    return schema.parse(await this.requester.send(request, { timeoutMs: Infinity }));
  }

  /** Returns the body of an answer as a stream. */
  download(path: string): Promise<ReadableStream<Uint8Array>> {
    return this.requester.download(path);
  }
}
