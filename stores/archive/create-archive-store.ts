import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { createDirectoryArchive } from './directory.ts';
import { createS3Archive } from './s3.ts';
import type { S3Options } from './s3.ts';

const S3_ADDRESS = /^s3:\/\/([^/]+)\/?(.*?)\/?$/u;

/** The store at an address: `s3://bucket/prefix`, or the path of a folder. Opens nothing. */
export function createArchiveStore(address: string, s3: Omit<S3Options, 'bucket' | 'prefix'>): ArchiveStore {
  const [, bucket, prefix = ''] = S3_ADDRESS.exec(address) ?? [];
  if (bucket === undefined) return createDirectoryArchive(address);
  return createS3Archive({ ...s3, bucket, prefix: prefix === '' ? '' : `${prefix}/` });
}

/** Returns the store of a setting; null without one. */
export function archiveStoreAt(
  address: string | null,
  s3: Parameters<typeof createArchiveStore>[1],
): ArchiveStore | null {
  return address === null ? null : createArchiveStore(address, s3);
}
