import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { RecollectError } from '../../client/index.ts';
import { Requester } from '../../client/requester.ts';
import type { Request } from '../../client/requester.ts';
import { claudeMemTaken, cursorSchema, importSchema, segmentSchema } from '../../contract/imports.ts';
import type { countsSchema, tableReportSchema } from '../../contract/imports.ts';

export type ImportCounts = z.output<typeof countsSchema>;
/** Outcomes of the rows of one table of a database. */
export type ImportedTable = z.output<typeof tableReportSchema>;
export type ImportAnswer = z.output<typeof importSchema>;
export type ImportFiles = ImportAnswer['files'];
export type CursorAnswer = z.output<typeof cursorSchema>;
export type SegmentAnswer = z.output<typeof segmentSchema>;
export type ConsumedRows = z.output<typeof claudeMemTaken>;

/** Returns true for transient failures: the server is unreachable, restarting or busy. */
export function isTransient(error: unknown): error is RecollectError {
  if (!(error instanceof RecollectError)) return false;
  const { code, status } = error;
  return (
    code === 'UNREACHABLE' || code === 'TIMEOUT' || code === 'BUSY' || status === 408 || status === 429 || status >= 500
  );
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

/** Import routes of the server. Every method rejects with RecollectError. */
export class ImportApi {
  private readonly requester: Requester;
  private readonly signal: AbortSignal;

  constructor(access: { readonly url: string; readonly apiKey: string }, signal: AbortSignal) {
    this.requester = new Requester({
      ...access,
      retries: 0,
      fetch: (url, init) => fetch(url, { ...init, redirect: 'error' }),
    });
    this.signal = signal;
  }

  start(directory: string | null, follow: boolean): Promise<ImportAnswer> {
    const body = { kind: 'transcripts', follow, ...(directory === null ? {} : { directory }) };
    return this.ask('POST', '/imports', importSchema, { body });
  }

  startDatabase(file: string, dryRun: boolean): Promise<ImportAnswer> {
    return this.ask('POST', '/imports', importSchema, { body: { kind: 'claude-mem', file, dry_run: dryRun } });
  }

  /** Sends rows of one table as NDJSON; retries while the server is busy. */
  sendRows(source: string, table: string, dryRun: boolean, lines: Buffer<ArrayBuffer>): Promise<ConsumedRows> {
    return this.retry(
      () =>
        this.ask('POST', '/imports/claude-mem/rows', claudeMemTaken, {
          query: { source, table, dry_run: dryRun },
          lines,
        }),
      isTransient,
      BUSY_ATTEMPTS,
    );
  }

  /** Returns the imported rows by table. */
  knownRows(source: string): Promise<Record<string, number>> {
    return this.ask('GET', '/imports/claude-mem/rows', z.record(z.string(), z.number()), { query: { source } });
  }

  show(id: string): Promise<ImportAnswer> {
    return this.ask('GET', `/imports/${encodeURIComponent(id)}`, importSchema);
  }

  /** Retries while Temporal is unavailable: cancelling is idempotent. */
  cancel(id: string): Promise<ImportAnswer> {
    return this.retry(
      () => this.ask('POST', `/imports/${encodeURIComponent(id)}/cancel`, importSchema, { body: {} }),
      (error) => error.status === 503,
      CANCEL_ATTEMPTS,
    );
  }

  cursor(name: RemoteName): Promise<CursorAnswer> {
    return this.ask('GET', '/transcripts', cursorSchema, { query: { ...name } });
  }

  /** Sends a segment of a transcript; retries while the server is busy. */
  async send(head: SegmentHead, bytes: Buffer<ArrayBuffer>): Promise<SegmentAnswer> {
    return this.retry(
      () => this.ask('POST', '/transcripts', segmentSchema, { query: { ...head }, lines: bytes }),
      (error) => error.code === 'BUSY',
      BUSY_ATTEMPTS,
    );
  }

  /** Retries `work` after 1 s while `retryable` returns true. */
  private async retry<Answer>(
    work: () => Promise<Answer>,
    retryable: (error: RecollectError) => boolean,
    maxAttempts: number,
  ): Promise<Answer> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof RecollectError) || !retryable(error) || attempts >= maxAttempts) throw error;
        await wait(RETRY_MS, undefined, { signal: this.signal });
      }
    }
  }

  private async ask<Answer>(
    method: Request['method'],
    path: string,
    schema: z.ZodType<Answer>,
    { lines, ...request }: Pick<Request, 'query' | 'body'> & { readonly lines?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<Answer> {
    const ndjson = lines === undefined ? {} : { raw: lines, headers: { 'content-type': 'application/x-ndjson' } };
    const call = { signal: this.signal, timeoutMs: lines === undefined ? TIMEOUT_MS : SEGMENT_TIMEOUT_MS };
    return schema.parse(await this.requester.send({ method, path, ...request, ...ndjson, repeatable: false }, call));
  }
}
