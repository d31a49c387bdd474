import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { readJsonFile } from './json-file.ts';
import { InstanceError } from './instance-error.ts';

const SECRET_BYTES = 32;
/** Base64url: safe in URLs, in YAML and on command lines without quoting. */
const secret = z.string().min(16);

const secretsSchema = z.object({
  postgresSuperuser: secret,
  postgresOwner: secret,
  postgresApp: secret,
  postgresMaintenance: secret,
  postgresRestore: secret,
  postgresTemporal: secret,
  weaviateApiKey: secret,
  weaviateCluster: secret,
  /** Seed of the Ed25519 key that signs backups: 32 bytes. */
  backupSigning: secret,
  /** Key that seals secrets in the database: 32 bytes. */
  sealing: secret,
  /** Token of Prometheus for `/metrics` of the api and the worker. */
  scrapeToken: secret,
});

/** Keys that `rotateSealing` added, newest first. */
const NEWER_KEYS = 'newerSealing';
const newerKeys = z.string().optional();

/** Generated secrets, stored in the data directory only. */
export type Secrets = Readonly<z.infer<typeof secretsSchema>> & {
  /** Keys that seal secrets instead of `sealing`, as NAME:KEY separated by commas, newest first; absent without a rotation. */
  readonly newerSealing?: string;
};

const storedSchema = z.record(z.string(), z.string());

/**
 * Returns the secrets of a data directory, created once: other secrets could not open the databases. Missing names
 * are generated. The file is readable by its owner only.
 * @throws InstanceError for a damaged file, since new secrets would hide the loss
 */
export function readOrCreateSecrets(file: string): Secrets {
  const stored = readJsonFile(file, storedSchema);
  if (stored.kind === 'damaged') throw damaged(file, stored.reason);
  const known = stored.kind === 'value' ? stored.value : {};
  const present = secretsSchema.partial().safeParse(known);
  if (!present.success) throw damaged(file, `${present.error.issues[0]?.path.join('.')} is not a secret`);
  const missing = Object.keys(secretsSchema.shape).filter((name) => known[name] === undefined);
  if (missing.length > 0) {
    for (const name of missing) known[name] = randomBytes(SECRET_BYTES).toString('base64url');
    writeFileAtomic(file, `${JSON.stringify(known, null, 2)}\n`, 0o600);
  } else {
    chmodSync(file, 0o600);
  }
  const newerSealing = newerKeys.parse(known[NEWER_KEYS]);
  return { ...secretsSchema.parse(known), ...(newerSealing === undefined ? {} : { newerSealing }) };
}

/**
 * Adds a key that seals secrets from the next start on; older keys open what they sealed. Returns its name.
 * @throws InstanceError for a data directory without secrets, or a damaged file
 */
export function rotateSealing(file: string): string {
  const stored = readJsonFile(file, storedSchema);
  if (stored.kind === 'damaged') throw damaged(file, stored.reason);
  if (stored.kind === 'absent')
    throw new InstanceError('unusable-data-dir', `There is no ${file}: start the instance first, or check --data-dir.`);
  const kid = `k${randomBytes(6).toString('hex')}`;
  const older = newerKeys.parse(stored.value[NEWER_KEYS]);
  const keys = `${kid}:${randomBytes(SECRET_BYTES).toString('base64')}`;
  const changed = { ...stored.value, [NEWER_KEYS]: older === undefined ? keys : `${keys},${older}` };
  writeFileAtomic(file, `${JSON.stringify(changed, null, 2)}\n`, 0o600);
  return kid;
}

function damaged(file: string, reason: string): InstanceError {
  return new InstanceError(
    'damaged-file',
    `The secrets file ${file} is damaged (${reason}). Restore a copy of it; the databases cannot be opened without it.`,
  );
}
