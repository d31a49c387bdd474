import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { RecollectError } from '../../client/index.ts';
import { erasureSchema, exportSchema, fileImportSchema, foundText } from '../../contract/gdpr.ts';
import { sessionDetail } from '../../contract/sessions.ts';
import { untilEnded } from '../waiting.ts';
import type { Credentials } from './access.ts';
import { ServerClient } from './server-client.ts';

export type Erasure = z.output<typeof erasureSchema>;
export type FileImport = z.output<typeof fileImportSchema>;

const failure = (code: string, message: string, cause?: unknown) =>
  new RecollectError(message, { status: 0, code, cause });

/** Erasures, exports and imports of files. Every method rejects with RecollectError. */
export class DataRequests {
  private readonly client: ServerClient;

  constructor(access: Credentials) {
    this.client = new ServerClient(access);
  }

  /** Returns host and external id of a session; null if the server shows none. */
  async sessionOfHost(given: string): Promise<{ readonly host: string; readonly id: string } | null> {
    try {
      const { host, external_id: id } = await this.client.get(`/sessions/${encodeURIComponent(given)}`, sessionDetail);
      return { host, id };
    } catch (error) {
      if (error instanceof RecollectError && error.status === 404) return null;
      throw error;
    }
  }

  /** Counts the rows that contain a text. */
  async count(text: string): Promise<Readonly<Record<string, number>>> {
    return (await this.client.post('/gdpr/erase', foundText, { kind: 'text', text, dry_run: true })).found;
  }

  erase(body: object): Promise<Erasure> {
    return this.client.post('/gdpr/erase', erasureSchema, body);
  }

  /** Waits for the end of an erasure. Returns null if the key is no longer valid because its owner was erased. */
  async erased(id: string): Promise<Erasure | null> {
    try {
      return await this.ended(`/gdpr/requests/${id}`, erasureSchema);
    } catch (error) {
      if (error instanceof RecollectError && error.status === 401) return null;
      throw error;
    }
  }

  /** Exports memory into a local file, which appears complete or not at all. Returns its bytes. */
  async export(body: object, file: string): Promise<number> {
    const { id } = await this.client.post('/exports', exportSchema, body);
    const row = await this.ended(`/exports/${id}`, exportSchema);
    if (row.state !== 'completed') throw failure('EXPORT_FAILED', `the export ${row.state}: ${row.error ?? ''}`);
    const partial = `${file}.part`;
    try {
      const content = Readable.fromWeb(await this.client.download(`/exports/${id}/file`));
      await pipeline(content, createWriteStream(partial, { mode: 0o600 }));
      await rename(partial, file);
    } finally {
      await rm(partial, { force: true });
    }
    return row.bytes;
  }

  /** Uploads a file and waits for the end of its import. */
  async import(file: string): Promise<FileImport> {
    const opened = await open(file).catch((cause: unknown) => {
      throw failure('FILE_UNREADABLE', `${file} cannot be read`, cause);
    });
    const content = Readable.toWeb(opened.createReadStream());
    const { id } = await this.client.upload('/imports/files', 'application/zstd', content, fileImportSchema);
    return this.ended(`/imports/files/${id}`, fileImportSchema);
  }

  /** Polls a row until it is not running. */
  private ended<Schema extends z.ZodType<{ readonly state: string }>>(
    path: string,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    return untilEnded(
      () => this.client.get(path, schema),
      ({ state }) => state,
    );
  }
}
