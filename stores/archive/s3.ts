import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { checkKey, checkPrefix } from './archive-keys.ts';

export interface S3Options {
  readonly bucket: string;
  /** Before every key; '' or ending in `/`. */
  readonly prefix: string;
  /** Null: the one of the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: what the machine or its role provides. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** Parts are buffered until sent: four at once are 32 MiB. Ten thousand parts are 80 GiB an object. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;
const ATTEMPTS = 6;
const CONNECT_MS = 5_000;
const SILENT_MS = 60_000;
/** In a row: a server may give some. */
const MAX_EMPTY_PAGES = 100;

/** Statuses and names with a known cause; all other failures may be transient. */
function portError(error: unknown, what: string): unknown {
  if (error instanceof ArchiveStoreError || error instanceof RangeError) return error;
  if (!(error instanceof Error) || error.name === 'AbortError') return error;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const name = error.name;
  const kind =
    name === 'NoSuchKey' || status === 404
      ? ('missing' as const)
      : status === 401 || status === 403
        ? ('refused' as const)
        : name === 'EntityTooLarge' || name === 'QuotaExceeded' || status === 507
          ? ('full' as const)
          : ('unavailable' as const);
  return new ArchiveStoreError(kind, `${what}: ${name}`, { cause: error });
}

/** The signal as the client takes it. */
function aborted(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The source, not the store, failed: its own error is passed on. */
class SourceFailed extends Error {
  override readonly name = 'SourceFailed';
}

/**
 * Objects in a bucket of an S3-compatible server. A write is an upload in parts that becomes visible when it is completed; what a failed one left
 * is taken back. Requests are tried six times, with pauses that grow.
 */
export function createS3Archive(options: S3Options): ArchiveStore {
  const { bucket, prefix } = options;
  const client = new S3Client({
    region: options.region,
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    ...(options.credentials === null ? {} : { credentials: options.credentials }),
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
  });
  const nameOf = (key: string): string => {
    checkKey(key);
    return `${prefix}${key}`;
  };

  return {
    address: `s3://${bucket}/${prefix}`,
    async write(key, source, signal) {
      const Key = nameOf(key);
      const hash = createHash('sha256');
      let bytes = 0;
      let sourceError: { readonly error: unknown } | null = null;
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        try {
          for await (const piece of source) {
            hash.update(piece);
            bytes += piece.byteLength;
            yield piece;
          }
        } catch (error) {
          sourceError = { error };
          throw new SourceFailed('the source failed', { cause: error });
        }
      };
      const upload = new Upload({
        client,
        params: { Bucket: bucket, Key, Body: Readable.from(counted(), { objectMode: false }) },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
        leavePartsOnError: false,
      });
      const stop = () => void upload.abort();
      signal?.addEventListener('abort', stop, { once: true });
      try {
        signal?.throwIfAborted();
        await upload.done();
        return { bytes, sha256: hash.digest('hex') };
      } catch (error) {
        signal?.throwIfAborted();
        const failed = sourceError as { readonly error: unknown } | null;
        throw failed === null ? portError(error, `${key} could not be written`) : failed.error;
      } finally {
        signal?.removeEventListener('abort', stop);
      }
    },
    async *read(key, signal) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: nameOf(key) }), aborted(signal));
        if (!(Body instanceof Readable)) throw new ArchiveStoreError('unavailable', `${key} has no body`);
        for await (const piece of Body) {
          signal?.throwIfAborted();
          yield Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
        }
      } catch (error) {
        throw portError(error, `${key} could not be read`);
      }
    },
    async *list(under, signal) {
      checkPrefix(under);
      let token: string | undefined;
      let empty = 0;
      try {
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${under}`, ContinuationToken: token }),
            aborted(signal),
          );
          for (const { Key, Size, LastModified } of page.Contents ?? [])
            if (Key !== undefined)
              yield { key: Key.slice(prefix.length), bytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) };
          token = page.NextContinuationToken;
          empty = (page.Contents ?? []).length === 0 ? empty + 1 : 0;
          if (empty > MAX_EMPTY_PAGES)
            throw new ArchiveStoreError('unavailable', 'the archive lists pages without objects and without end');
        } while (token !== undefined);
      } catch (error) {
        throw portError(error, 'the archive could not be listed');
      }
    },
    async remove(key, signal) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: nameOf(key) }), aborted(signal));
      } catch (error) {
        throw portError(error, `${key} could not be removed`);
      }
    },
  };
}
