import { randomBytes } from 'node:crypto';
import type { TenantId } from '../../../domain/ids.ts';
import { base32 } from '../../../domain/totp.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { keySha256 } from './secrets.ts';

const RECOVERY_CODES = 10;
const RECOVERY_BYTES = 10;

/** The authenticator of a user. */
export interface StoredTotp {
  readonly sealedSecret: Uint8Array;
  readonly isConfirmed: boolean;
}

/** Returns the authenticator of a user, confirmed or not; null: none. */
export async function readTotp(transaction: TenantTransaction, userId: string): Promise<StoredTotp | null> {
  const found = await transaction.mfaTotp.findUnique({ where: { userId } });
  return found === null ? null : { sealedSecret: found.sealedSecret, isConfirmed: found.confirmedAt !== null };
}

/** Stores the secret of an authenticator that is not confirmed yet, in place of another such one. Returns false if the user has a confirmed one. */
export async function enrolTotp(
  transaction: TenantTransaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: string },
  sealedSecret: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  await transaction.mfaTotp.deleteMany({ where: { userId, confirmedAt: null } });
  const { count } = await transaction.mfaTotp.createMany({
    data: { userId, tenantId, sealedSecret },
    skipDuplicates: true,
  });
  return count === 1;
}

/** Uses the code of a time step, once. Returns false if this step or a later one was used. `isFirst`: the code confirms the authenticator. */
export async function useTotpStep(
  transaction: TenantTransaction,
  userId: string,
  step: number,
  isFirst: boolean,
): Promise<boolean> {
  const { count } = await transaction.mfaTotp.updateMany({
    where: { userId, lastStep: { lt: step }, confirmedAt: isFirst ? null : { not: null } },
    data: { lastStep: step, ...(isFirst && { confirmedAt: new Date() }) },
  });
  return count === 1;
}

/** Replaces the recovery codes of a user; returns the new ones, which are not stored: 80 bits in groups of four characters. */
export async function replaceRecoveryCodes(
  transaction: TenantTransaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: string },
): Promise<string[]> {
  await transaction.mfaRecovery.deleteMany({ where: { userId } });
  const codes = Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(RECOVERY_BYTES)));
  await transaction.mfaRecovery.createMany({
    data: codes.map((code) => ({ userId, tenantId, codeSha256: new Uint8Array(keySha256(code)) })),
  });
  return codes.map((code) => (code.match(/.{4}/g) ?? []).join('-'));
}

/** Uses a recovery code, once. `code`: letters and digits, with or without dashes. */
export async function useRecoveryCode(transaction: TenantTransaction, userId: string, code: string): Promise<boolean> {
  const plain = code.replaceAll('-', '').toUpperCase();
  const { count } = await transaction.mfaRecovery.updateMany({
    where: { userId, codeSha256: new Uint8Array(keySha256(plain)), usedAt: null },
    data: { usedAt: new Date() },
  });
  return count === 1;
}

/** Removes the authenticator and the recovery codes of a user. Returns false if there was no confirmed authenticator. */
export async function removeTotp(transaction: TenantTransaction, userId: string): Promise<boolean> {
  await transaction.mfaRecovery.deleteMany({ where: { userId } });
  const { count } = await transaction.mfaTotp.deleteMany({ where: { userId, confirmedAt: { not: null } } });
  return count === 1;
}

/** Ends all sessions of a user, whose factors an admin reset. */
export async function endAllSessions(transaction: TenantTransaction, userId: string): Promise<void> {
  await transaction.user.update({
    where: { id: userId },
    data: { authVersion: { increment: 1 } },
    select: { id: true },
  });
}
