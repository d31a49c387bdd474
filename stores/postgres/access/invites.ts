import { z } from 'zod';
import { ROLES } from '../../../domain/access.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn } from '../connection/rows.ts';
import { keySha256, newInviteToken } from './secrets.ts';

const INVITE_DAYS = 7;

/** A new invite. The token is not stored. */
export interface NewInvite {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Creates an invite of a user; older ones of that user end. */
export async function createInvite(
  transaction: TenantTransaction,
  invite: { readonly tenantId: TenantId; readonly userId: string; readonly createdBy: string | null },
): Promise<NewInvite> {
  await endInvites(transaction, invite.userId);
  const token = newInviteToken();
  const expiresAt = new Date(Date.now() + INVITE_DAYS * 86_400_000);
  const tokenSha256 = new Uint8Array(keySha256(token));
  await transaction.userInvite.create({ data: { id: newId(), ...invite, tokenSha256, expiresAt } });
  return { token, expiresAt };
}

/** Ends the invites of a user that were not accepted. */
export async function endInvites(transaction: TenantTransaction, userId: string): Promise<void> {
  await transaction.userInvite.deleteMany({ where: { userId, acceptedAt: null } });
}

const foundRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: z.string(),
  username: z.string(),
  role: z.enum(ROLES),
});

/** The user of an invite. */
export type Invited = z.output<typeof foundRow>;

/** Returns the user of a token; null for a token that is unknown, accepted or expired, or whose user or tenant is not active. */
export async function findInvite({ pool }: Database, token: string): Promise<Invited | null> {
  const { rows } = await pool.query('SELECT id, tenant_id, user_id, username, role FROM find_invite($1)', [
    keySha256(token),
  ]);
  return z.array(foundRow).parse(rows)[0] ?? null;
}

/** Accepts an invite, in a transaction of its tenant. Returns false if another request did so first, or the invite ended. */
export async function acceptInvite(transaction: TenantTransaction, id: string): Promise<boolean> {
  const { count } = await transaction.userInvite.updateMany({
    where: { id, acceptedAt: null },
    data: { acceptedAt: new Date() },
  });
  return count === 1;
}
