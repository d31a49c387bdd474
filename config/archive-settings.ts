import { z } from 'zod';

/** `s3://bucket`, `s3://bucket/prefix`, or the absolute path of a folder. */
export const STORE_ADDRESS = /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?|\/[^\0]*)$/u;

const address = z
  .string()
  .max(1_024)
  .regex(STORE_ADDRESS, { error: 'must be the absolute path of a folder, or s3://bucket/prefix' });

/** Settings of the stores for archives, exports and backups. */
export const archiveEnvironment = {
  RECOLLECT_ARCHIVE_STORE: address
    .optional()
    .describe(
      'Store of archived sessions and exports: a folder or `s3://bucket/prefix`. `recollect up` sets `archive` in the data directory',
    ),
  RECOLLECT_BACKUP_STORE: address
    .optional()
    .describe(
      'Store of backups: a folder or `s3://bucket/prefix`. `recollect up` sets `backups` in the data directory',
    ),
  RECOLLECT_BACKUP_COPY_STORE: address
    .optional()
    .describe('Off-site store of backup copies: each backup is copied there and verified'),
  RECOLLECT_S3_ENDPOINT: z.url().optional().describe('Address of an S3-compatible server; unset: AWS in the region'),
  RECOLLECT_S3_REGION: z.string().min(1).max(64).default('us-east-1').describe('Region of the buckets'),
  RECOLLECT_S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Access key; unset: credentials of the machine or its role'),
  RECOLLECT_S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('Secret of the access key'),
};

type Environment = z.output<z.ZodObject<typeof archiveEnvironment>>;

/** Access to S3-compatible servers. */
export interface S3Settings {
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: credentials of the machine or its role. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** Returns the stores; addresses are null if unset. */
export function archiveConfig(env: Environment) {
  const { RECOLLECT_S3_ACCESS_KEY_ID: accessKeyId, RECOLLECT_S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const s3: S3Settings = {
    endpoint: env.RECOLLECT_S3_ENDPOINT ?? null,
    region: env.RECOLLECT_S3_REGION,
    credentials: accessKeyId === undefined || secretAccessKey === undefined ? null : { accessKeyId, secretAccessKey },
  };
  const isComplete = (accessKeyId === undefined) === (secretAccessKey === undefined);
  return {
    archive: { address: env.RECOLLECT_ARCHIVE_STORE ?? null },
    backup: { address: env.RECOLLECT_BACKUP_STORE ?? null, copy: env.RECOLLECT_BACKUP_COPY_STORE ?? null },
    s3: { ...s3, isComplete },
  };
}
