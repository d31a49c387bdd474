import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';

/** Rows were forgotten between a model step's reading and its writing: it is to be done again. Known as a conflict by its code. */
export class ForgottenMeanwhile extends Error {
  override readonly name = 'ForgottenMeanwhile';
  readonly code = '40001';
}

/** Why a learning was closed whose last quote was forgotten. */
export const EVIDENCE_FORGOTTEN = 'evidence forgotten';

/** SQL: the user of tombstones that bind every user, because they name no session, or one whose user is not known any more. */
export const ANY_USER = "'00000000-0000-0000-0000-000000000000'::uuid";

const countRow = z.object({ forgotten: z.number() });

/** Returns the number of forgotten events of a session so far: a model step compares it with its earlier reading. */
export async function forgottenSoFar(transaction: TenantTransaction, sessionId: string): Promise<number> {
  const rows = await transaction.$queryRaw`
    SELECT count(*)::integer AS forgotten FROM sessions s JOIN tombstones t ON t.tenant_id = s.tenant_id AND t.host = s.host AND t.external_id = s.external_id AND t.user_id IN (s.user_id, ${Prisma.raw(ANY_USER)})
     WHERE s.id = ${sessionId}::uuid`;
  return z.array(countRow).parse(rows)[0]?.forgotten ?? 0;
}

/**
 * Blocks forgetting until this transaction ends, so that it writes from existing rows only.
 * @throws ForgottenMeanwhile when something was forgotten since `before` was counted
 */
export async function refuseForgotten(
  transaction: TenantTransaction,
  sessionId: string,
  before: number,
): Promise<void> {
  await blockForgetting(transaction, sessionId);
  if ((await forgottenSoFar(transaction, sessionId)) !== before)
    throw new ForgottenMeanwhile('rows were forgotten while they were read');
}

/**
 * Tombstones of rows by id, for rows that are no event of a session or were derived from one: they reject such rows, and rows that quote
 * them, in an export file or a backup. They name no session.
 */
export async function addTombstones(transaction: TenantTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.$executeRaw`
    INSERT INTO tombstones (tenant_id, host, external_id, key_sha256)
    SELECT (SELECT current_tenant_id()), '', '', sha256(convert_to('row:' || id, 'UTF8')) FROM unnest(${[...new Set(ids)]}::text[]) AS id ON CONFLICT DO NOTHING`;
}

/** Blocks forgetting until this transaction ends. */
export async function blockForgetting(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock_shared(hashtextextended(${`forget ${sessionId}`}, 0))`;
}

/** Waits for writing model steps and blocks new ones until this transaction ends. Must be called before the session's row is locked. */
export async function lockForgetting(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`forget ${sessionId}`}, 0))`;
}

/** A user's session by what its host calls it. */
export interface NamedSession {
  readonly tenantId: string;
  readonly userId: string;
  readonly host: string;
  readonly externalId: string;
}

/** Returns those of these hashes (SHA-256 of a prompt's text, hex) that were forgotten in a session. */
export async function forgottenWords(
  read: TenantRead,
  { tenantId, userId, host, externalId }: NamedSession,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await read({
    name: 'forgotten_words',
    text: `SELECT given.hash FROM unnest($4::text[]) AS given(hash)
      JOIN tombstones t ON t.tenant_id = $1 AND t.host = $2 AND t.external_id = $3 AND t.user_id IN ($5, ${ANY_USER})
       AND t.key_sha256 = sha256(convert_to('content:' || given.hash, 'UTF8'))`,
    values: [tenantId, host, externalId, [...hashes], userId],
  });
  return new Set(
    z
      .array(z.object({ hash: z.string() }))
      .parse(rows)
      .map((row) => row.hash),
  );
}
