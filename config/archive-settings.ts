import { z } from 'zod';

/** `s3://bucket`, `s3://bucket/prefix`, or the absolute path of a folder. */
export const STORE_ADDRESS = /^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?|\/[^\0]*)$/u;

const address = z
  .string()
  .max(1_024)
  .regex(STORE_ADDRESS, { error: 'must be the absolute path of a folder, or s3://bucket/prefix' });

/** Settings of the stores that keep archives, exports and backups. */
export const archiveEnvironment = {
  RECOLLECT_ARCHIVE_STORE: address
    .optional()
    .describe(
      'Where archived sessions and exports are kept: a folder or `s3://bucket/prefix`. `npm start` takes `archive` in the data directory',
    ),
  RECOLLECT_BACKUP_STORE: address
    .optional()
    .describe(
      'Where backup sets are kept: a folder or `s3://bucket/prefix`. `npm start` takes `backups` in the data directory',
    ),
  RECOLLECT_BACKUP_COPY_STORE: address
    .optional()
    .describe('A second place for backup sets, off-site: each set is copied there and verified by reading it back'),
  RECOLLECT_S3_ENDPOINT: z
    .url()
    .optional()
    .describe('Address of an S3-compatible server; unset: the one of the region'),
  RECOLLECT_S3_REGION: z.string().min(1).max(64).default('us-east-1').describe('Region of the buckets'),
  RECOLLECT_S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Access key; unset: what the machine or its role provides'),
  RECOLLECT_S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('Secret of the access key'),
};

type Environment = z.output<z.ZodObject<typeof archiveEnvironment>>;

/** How S3-compatible servers are reached. */
export interface S3Settings {
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: what the machine or its role provides. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
}

/** The stores by their addresses; null where none is set. */
export function archiveConfig(env: Environment) {
  const { RECOLLECT_S3_ACCESS_KEY_ID: accessKeyId, RECOLLECT_S3_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const s3: S3Settings = {
    endpoint: env.RECOLLECT_S3_ENDPOINT ?? null,
    region: env.RECOLLECT_S3_REGION,
    credentials: accessKeyId === undefined || secretAccessKey === undefined ? null : { accessKeyId, secretAccessKey },
  };
  const isWhole = (accessKeyId === undefined) === (secretAccessKey === undefined);
  return {
    archive: { address: env.RECOLLECT_ARCHIVE_STORE ?? null },
    backup: { address: env.RECOLLECT_BACKUP_STORE ?? null, copy: env.RECOLLECT_BACKUP_COPY_STORE ?? null },
    s3: { ...s3, isWhole },
  };
}
