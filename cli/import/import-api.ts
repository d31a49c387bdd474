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

/** Whether asking again later may go well: the server is away, restarts, or has too much to do. */
export function passesByItself(error: unknown): error is RecollectError {
  if (!(error instanceof RecollectError)) return false;
  const { code, status } = error;
  return (
    code === 'UNREACHABLE' || code === 'TIMEOUT' || code === 'BUSY' || status === 408 || status === 429 || status >= 500
  );
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

/** The server's routes of imports. Every method rejects with RecollectError. */
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

  /** Sends rows of one table of a database, one a line; waits while the server takes others. */
  sendRows(source: string, table: string, dryRun: boolean, lines: Buffer<ArrayBuffer>): Promise<ConsumedRows> {
    return this.again(
      () =>
        this.ask('POST', '/imports/claude-mem/rows', claudeMemTaken, {
          query: { source, table, dry_run: dryRun },
          lines,
        }),
      passesByItself,
      BUSY_TRIES,
    );
  }

  /** How many rows of each table of a database the server knows. */
  knownRows(source: string): Promise<Record<string, number>> {
    return this.ask('GET', '/imports/claude-mem/rows', z.record(z.string(), z.number()), { query: { source } });
  }

  look(id: string): Promise<ImportAnswer> {
    return this.ask('GET', `/imports/${encodeURIComponent(id)}`, importSchema);
  }

  /** Asks again while the server says that Temporal does not answer it: an order to stop may be given twice. */
  cancel(id: string): Promise<ImportAnswer> {
    return this.again(
      () => this.ask('POST', `/imports/${encodeURIComponent(id)}/cancel`, importSchema, { body: {} }),
      (error) => error.status === 503,
      CANCEL_TRIES,
    );
  }

  cursor(name: RemoteName): Promise<CursorAnswer> {
    return this.ask('GET', '/transcripts', cursorSchema, { query: { ...name } });
  }

  /** Sends a piece of a transcript; waits while the server reads others. */
  async send(head: SegmentHead, bytes: Buffer<ArrayBuffer>): Promise<SegmentAnswer> {
    return this.again(
      () => this.ask('POST', '/transcripts', segmentSchema, { query: { ...head }, lines: bytes }),
      (error) => error.code === 'BUSY',
      BUSY_TRIES,
    );
  }

  /** Tries again, a second later each time, what ends with an error that passes. */
  private async again<Answer>(
    work: () => Promise<Answer>,
    passes: (error: RecollectError) => boolean,
    mostTries: number,
  ): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof RecollectError) || !passes(error) || tries >= mostTries) throw error;
        await wait(AGAIN_MS, undefined, { signal: this.signal });
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
