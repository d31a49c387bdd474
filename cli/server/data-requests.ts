import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { untilEnded } from '../growing-pause.ts';
import type { Credentials } from './credentials.ts';
import { ClientError, ServerClient } from './server-client.ts';

const counts = z.record(z.string(), z.number());
const job = z.object({ id: z.string(), state: z.string(), error: z.string().nullable() });
const erasure = job.extend({
  phase: z.string(),
  removed: counts,
  receipt: z.object({ receipt: z.string(), sha256: z.string(), signature: z.string().nullable() }).nullable(),
});
const hostSession = z.object({ host: z.string(), external_id: z.string() });
const foundText = z.object({ found: counts });
const fileImportJob = job.extend({ read: counts, written: counts });
export type Erasure = z.output<typeof erasure>;
export type FileImport = z.output<typeof fileImportJob>;

/** Erasures, exports and imports of files, as the command line asks for them. Every method rejects with ClientError. */
export class DataRequests {
  private readonly client: ServerClient;

  constructor(access: Credentials) {
    this.client = new ServerClient(access);
  }

  /** A session as its host names it; null where the server knows none such, or shows none. */
  async sessionOfHost(given: string): Promise<{ readonly host: string; readonly id: string } | null> {
    try {
      const path = `/sessions/${encodeURIComponent(given)}`;
      const { host, external_id: id } = await this.client.request('GET', path, hostSession);
      return { host, id };
    } catch (error) {
      if (error instanceof ClientError && error.status === 404) return null;
      throw error;
    }
  }

  /** How many rows hold a text. */
  async count(text: string): Promise<Readonly<Record<string, number>>> {
    const body = { kind: 'text', text, dry_run: true };
    return (await this.client.request('POST', '/gdpr/erase', foundText, body)).found;
  }

  erase(body: object): Promise<Erasure> {
    return this.client.request('POST', '/gdpr/erase', erasure, body);
  }

  /** Waits until an erasure has ended; null where the key opens nothing any more, because its owner was erased. */
  async erased(id: string): Promise<Erasure | null> {
    try {
      return await this.ended(`/gdpr/requests/${id}`, erasure);
    } catch (error) {
      if (error instanceof ClientError && error.status === 401) return null;
      throw error;
    }
  }

  /** Exports memory into a file of this machine, whole or not at all; answers its bytes. */
  async export(body: object, file: string): Promise<number> {
    const { id } = await this.client.request('POST', '/exports', job, body);
    const row = await this.ended(`/exports/${id}`, job.extend({ bytes: z.number() }));
    if (row.state !== 'completed')
      throw new ClientError('EXPORT_FAILED', `the export ${row.state}: ${row.error ?? ''}`, 0);
    const beside = `${file}.part`;
    try {
      const content = Readable.fromWeb(await this.client.download(`/exports/${id}/file`));
      await pipeline(content, createWriteStream(beside, { mode: 0o600 }));
      await rename(beside, file);
    } finally {
      await rm(beside, { force: true });
    }
    return row.bytes;
  }

  /** Sends a file and waits until it was taken in. */
  async import(file: string): Promise<FileImport> {
    const opened = await open(file).catch((cause: unknown) => {
      throw new ClientError('FILE_UNREADABLE', `${file} cannot be read`, 0, cause);
    });
    const content = Readable.toWeb(opened.createReadStream());
    const { id } = await this.client.upload('/imports/files', 'application/zstd', content, fileImportJob);
    return this.ended(`/imports/files/${id}`, fileImportJob);
  }

  /** A job's row, once it runs no more. */
  private ended<Row extends { readonly state: string }>(path: string, schema: z.ZodType<Row>): Promise<Row> {
    return untilEnded(
      () => this.client.request('GET', path, schema),
      ({ state }) => state,
    );
  }
}
