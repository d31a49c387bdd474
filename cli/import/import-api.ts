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
/** What became of the rows of one table of a database. */
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
  /** Of a database; null for transcripts. */
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

const takenSchema = z.object({
  rows: count,
  imported: count,
  present: count,
  refused: count,
  dropped,
  sessions_made: count,
  first_prompts: count,
});
export type ConsumedRows = z.output<typeof takenSchema>;

const errorSchema = z.object({ error: z.string(), code: z.string() });

/** The server said no, with its machine code; or it did not answer at all (`UNREACHABLE`). */
export class ImportApiError extends Error {
  override readonly name = 'ImportApiError';
  readonly code: string;
  /** Of HTTP; 0 where nothing answered. */
  readonly status: number;

  constructor(code: string, message: string, status = 0, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = status;
  }
}

/** Whether asking again later may go well: the server is away, restarts, or has too much to do. */
export function passesByItself(error: unknown): error is ImportApiError {
  if (!(error instanceof ImportApiError)) return false;
  const { code, status } = error;
  return code === 'UNREACHABLE' || code === 'BUSY' || status === 408 || status === 429 || status >= 500;
}

/** A file as it is named to the server; nothing is opened by this name there. */
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
/** A piece of a transcript is compared with what is stored before it is answered. */
const SEGMENT_TIMEOUT_MS = 300_000;
const BUSY_TRIES = 30;
const CANCEL_TRIES = 5;
const AGAIN_MS = 1_000;

/** The server's routes of imports. Every method rejects with ImportApiError. */
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
    return this.ask('POST', '/imports', importSchema, { json: body });
  }

  startDatabase(file: string, dryRun: boolean): Promise<ImportAnswer> {
    return this.ask('POST', '/imports', importSchema, { json: { kind: 'claude-mem', file, dry_run: dryRun } });
  }

  /** Sends rows of one table of a database, one a line; waits while the server takes others. */
  sendRows(source: string, table: string, dryRun: boolean, lines: Buffer<ArrayBuffer>): Promise<ConsumedRows> {
    const query = new URLSearchParams({ source, table, dry_run: String(dryRun) });
    return this.again(
      () => this.ask('POST', `/imports/claude-mem/rows?${query.toString()}`, takenSchema, { lines }),
      passesByItself,
      BUSY_TRIES,
    );
  }

  /** How many rows of each table of a database the server knows. */
  knownRows(source: string): Promise<Record<string, number>> {
    const query = new URLSearchParams({ source });
    return this.ask('GET', `/imports/claude-mem/rows?${query.toString()}`, z.record(z.string(), count));
  }

  look(id: string): Promise<ImportAnswer> {
    return this.ask('GET', `/imports/${encodeURIComponent(id)}`, importSchema);
  }

  /** Asks again while the server says that Temporal does not answer it: an order to stop may be given twice. */
  cancel(id: string): Promise<ImportAnswer> {
    return this.again(
      () => this.ask('POST', `/imports/${encodeURIComponent(id)}/cancel`, importSchema, { json: {} }),
      (error) => error.status === 503,
      CANCEL_TRIES,
    );
  }

  cursor(name: RemoteName): Promise<CursorAnswer> {
    return this.ask('GET', `/transcripts?${new URLSearchParams({ ...name }).toString()}`, cursorSchema);
  }

  /** Sends a piece of a transcript; waits while the server reads others. */
  async send(head: SegmentHead, bytes: Buffer<ArrayBuffer>): Promise<SegmentAnswer> {
    const query = new URLSearchParams({
      ...head,
      offset: String(head.offset),
      size: String(head.size),
      quiet_ms: String(head.quiet_ms),
    });
    return this.again(
      () => this.ask('POST', `/transcripts?${query.toString()}`, segmentSchema, { lines: bytes }),
      (error) => error.code === 'BUSY',
      BUSY_TRIES,
    );
  }

  /** Tries again, a second later each time, what ends with an error that passes. */
  private async again<Answer>(
    work: () => Promise<Answer>,
    passes: (error: ImportApiError) => boolean,
    mostTries: number,
  ): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ImportApiError) || !passes(error) || tries >= mostTries) throw error;
        await wait(AGAIN_MS, undefined, { signal: this.signal });
      }
    }
  }

  private async ask<Answer>(
    method: string,
    route: string,
    schema: z.ZodType<Answer>,
    body: { readonly json?: unknown; readonly lines?: Buffer<ArrayBuffer> } = {},
  ): Promise<Answer> {
    const [type, sent] =
      body.lines === undefined
        ? ['application/json', body.json === undefined ? null : JSON.stringify(body.json)]
        : ['application/x-ndjson', body.lines];
    let status: number;
    let answer: unknown;
    try {
      const limit = AbortSignal.timeout(body.lines === undefined ? TIMEOUT_MS : SEGMENT_TIMEOUT_MS);
      const response = await fetch(`${this.url}/api/v1${route}`, {
        method,
        redirect: 'error',
        headers: { authorization: `Bearer ${this.apiKey}`, ...(sent === null ? {} : { 'content-type': type }) },
        ...(sent === null ? {} : { body: sent }),
        signal: AbortSignal.any([limit, this.signal]),
      });
      status = response.status;
      answer = await response.json();
    } catch (error) {
      if (this.signal.aborted) throw new ImportApiError('STOPPED', 'stopped', 0, error);
      throw new ImportApiError('UNREACHABLE', `${this.url} does not answer`, 0, error);
    }
    if (status < 400) return schema.parse(answer);
    const said = errorSchema.safeParse(answer);
    throw new ImportApiError(said.data?.code ?? 'UNKNOWN', said.data?.error ?? `the server answered ${status}`, status);
  }
}
