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
});

/** Generated secrets, stored in the data directory only. */
export type Secrets = Readonly<z.infer<typeof secretsSchema>>;

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
  return secretsSchema.parse(known);
}

function damaged(file: string, reason: string): InstanceError {
  return new InstanceError(
    'damaged-file',
    `The secrets file ${file} is damaged (${reason}). Restore a copy of it; the databases cannot be opened without it.`,
  );
}
