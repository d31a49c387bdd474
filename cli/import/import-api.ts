import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

const count = z.number();
export const countsSchema = z.object({
  lines: count,
  added: count,
  present: count,
  refused: count,
  doubles: count,
  truncated: count,
  repeated: count,
  unknown_type: count,
  not_json: count,
  too_large: count,
});
export type ImportCounts = z.output<typeof countsSchema>;

const dropped = z.object({ private: count, empty: count, observer: count, processed: count, no_event: count });
const tableSchema = z.object({
  table: z.string(),
  theirs: count,
  imported: count,
  present: count,
  refused: count,
  dropped,
  ours: count.nullable(),
  unaccounted: count,
});
/** Outcome of the rows of one database table. */
export type ImportedTable = z.output<typeof tableSchema>;
const rowsSchema = z.object({ total: count, done: count, sessions_made: count, first_prompts: count });

const importSchema = z.object({
  id: z.string(),
  directory: z.string(),
  follow: z.boolean(),
  dry_run: z.boolean(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  files: z.object({ total: count, done: count, unchanged: count, waiting: count, unreadable: count }),
  counts: countsSchema,
  /** For a database; null for transcripts. */
  rows: rowsSchema.nullable(),
  tables: z.array(tableSchema).nullable(),
  error: z.string().nullable(),
});
export type ImportAnswer = z.output<typeof importSchema>;
export type ImportFiles = ImportAnswer['files'];

const cursorSchema = z.object({
  fingerprint: z.string().nullable(),
  size: count,
  modified_at: z.string().nullable(),
  offset: count,
  open: z.boolean(),
  looked_at: z.string().nullable(),
});
export type CursorAnswer = z.output<typeof cursorSchema>;

const segmentSchema = z.object({ next_offset: count, open: z.boolean(), counts: countsSchema });
export type SegmentAnswer = z.output<typeof segmentSchema>;

const consumedSchema = z.object({
  rows: count,
  imported: count,
  present: count,
  refused: count,
  dropped,
  sessions_made: count,
  first_prompts: count,
});
export type ConsumedRows = z.output<typeof consumedSchema>;

const errorSchema = z.object({ error: z.string(), code: z.string() });

/** Error response of the server with its code, or `UNREACHABLE`. */
export class ImportApiError extends Error {
  override readonly name = 'ImportApiError';
  readonly code: string;
  /** HTTP status; 0 without a response. */
  readonly status: number;

  constructor(code: string, message: string, status = 0, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = status;
  }
}

/** Returns true for transient failures: the server is unreachable, restarting or busy. */
export function isTransient(error: unknown): error is ImportApiError {
  if (!(error instanceof ImportApiError)) return false;
  const { code, status } = error;
  return code === 'UNREACHABLE' || code === 'BUSY' || status === 408 || status === 429 || status >= 500;
}

/** Identifies a file to the server, which opens nothing by this path. */
export interface RemoteName {
  readonly machine: string;
  readonly path: string;
}

export interface SegmentHead extends RemoteName {
  readonly fingerprint: string;
  readonly offset: number;
  readonly size: number;
  readonly modified_at: string;
  readonly quiet_ms: number;
}

const TIMEOUT_MS = 30_000;
/** The server compares a segment with stored events before it responds. */
const SEGMENT_TIMEOUT_MS = 300_000;
const BUSY_ATTEMPTS = 30;
const CANCEL_ATTEMPTS = 5;
const RETRY_MS = 1_000;

/** Import routes of the server. Every method rejects with ImportApiError. */
export class ImportApi {
  private readonly url: string;
  private readonly apiKey: string;
  private readonly signal: AbortSignal;

  constructor(access: { readonly url: string; readonly apiKey: string }, signal: AbortSignal) {
    this.url = access.url;
    this.apiKey = access.apiKey;
    this.signal = signal;
  }

  start(directory: string | null, follow: boolean): Promise<ImportAnswer> {
    const body = { kind: 'transcripts', follow, ...(directory === null ? {} : { directory }) };
    return this.request('POST', '/imports', importSchema, { json: body });
  }

  startDatabase(file: string, dryRun: boolean): Promise<ImportAnswer> {
    return this.request('POST', '/imports', importSchema, { json: { kind: 'claude-mem', file, dry_run: dryRun } });
  }

  /** Sends rows of one table as NDJSON; retries while the server is busy. */
  sendRows(source: string, table: string, dryRun: boolean, lines: Buffer<ArrayBuffer>): Promise<ConsumedRows> {
    const query = new URLSearchParams({ source, table, dry_run: String(dryRun) });
    return this.retry(
      () => this.request('POST', `/imports/claude-mem/rows?${query.toString()}`, consumedSchema, { lines }),
      isTransient,
      BUSY_ATTEMPTS,
    );
  }

  /** Returns the imported rows by table. */
  knownRows(source: string): Promise<Record<string, number>> {
    const query = new URLSearchParams({ source });
    return this.request('GET', `/imports/claude-mem/rows?${query.toString()}`, z.record(z.string(), count));
  }

  show(id: string): Promise<ImportAnswer> {
    return this.request('GET', `/imports/${encodeURIComponent(id)}`, importSchema);
  }

  /** Retries while Temporal is unavailable: cancelling is idempotent. */
  cancel(id: string): Promise<ImportAnswer> {
    return this.retry(
      () => this.request('POST', `/imports/${encodeURIComponent(id)}/cancel`, importSchema, { json: {} }),
      (error) => error.status === 503,
      CANCEL_ATTEMPTS,
    );
  }

  cursor(name: RemoteName): Promise<CursorAnswer> {
    return this.request('GET', `/transcripts?${new URLSearchParams({ ...name }).toString()}`, cursorSchema);
  }

  /** Sends a segment of a transcript; retries while the server is busy. */
  async send(head: SegmentHead, bytes: Buffer<ArrayBuffer>): Promise<SegmentAnswer> {
    const query = new URLSearchParams({
      ...head,
      offset: String(head.offset),
      size: String(head.size),
      quiet_ms: String(head.quiet_ms),
    });
    return this.retry(
      () => this.request('POST', `/transcripts?${query.toString()}`, segmentSchema, { lines: bytes }),
      (error) => error.code === 'BUSY',
      BUSY_ATTEMPTS,
    );
  }

  /** Retries `work` after 1 s while `retryable` returns true. */
  private async retry<Answer>(
    work: () => Promise<Answer>,
    retryable: (error: ImportApiError) => boolean,
    maxAttempts: number,
  ): Promise<Answer> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ImportApiError) || !retryable(error) || attempts >= maxAttempts) throw error;
        await wait(RETRY_MS, undefined, { signal: this.signal });
      }
    }
  }

  private async request<Answer>(
    method: string,
    route: string,
    schema: z.ZodType<Answer>,
    content: { readonly json?: unknown; readonly lines?: Buffer<ArrayBuffer> } = {},
  ): Promise<Answer> {
    const [type, sent] =
      content.lines === undefined
        ? ['application/json', content.json === undefined ? null : JSON.stringify(content.json)]
        : ['application/x-ndjson', content.lines];
    let status: number;
    let body: unknown;
    try {
      const limit = AbortSignal.timeout(content.lines === undefined ? TIMEOUT_MS : SEGMENT_TIMEOUT_MS);
      const response = await fetch(`${this.url}/api/v1${route}`, {
        method,
        redirect: 'error',
        headers: { authorization: `Bearer ${this.apiKey}`, ...(sent === null ? {} : { 'content-type': type }) },
        ...(sent === null ? {} : { body: sent }),
        signal: AbortSignal.any([limit, this.signal]),
      });
      status = response.status;
      body = await response.json();
    } catch (error) {
      if (this.signal.aborted) throw new ImportApiError('STOPPED', 'stopped', 0, error);
      throw new ImportApiError('UNREACHABLE', `${this.url} is unreachable`, 0, error);
    }
    if (status < 400) return schema.parse(body);
    const failure = errorSchema.safeParse(body);
    throw new ImportApiError(
      failure.data?.code ?? 'UNKNOWN',
      failure.data?.error ?? `the server returned status ${status}`,
      status,
    );
  }
}
