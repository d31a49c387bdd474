import { expect } from 'vitest';
import type { z } from 'zod';
import { acceptedInvite, createdKey, invitedAnswer } from '../../../contract/access.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';

/**
 * Time for which a credential is tried that was changed: usually a moment. A process that missed the change would accept the credential for five seconds
 * from its last look-up on.
 */
export const WITHIN_CACHE_TIME = { timeout: 4_000, interval: 20 };

/** Returns the body of a response with the status 201, parsed. */
export function createdIn<Schema extends z.ZodType>(schema: Schema, answer: ApiAnswer): z.output<Schema> {
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return schema.parse(answer.body);
}

/** Adds a user with an invite to a tenant, as its admin. */
export async function invite(
  instance: TestInstance,
  username: string,
  role: 'admin' | 'user' | 'viewer' = 'user',
  key: string = instance.admin.key,
): Promise<z.output<typeof invitedAnswer>> {
  return createdIn(invitedAnswer, await instance.post('/admin/users', { username, role }, key));
}

/** Accepts an invite, without a key. */
export function accept(instance: TestInstance, token: string): Promise<ApiAnswer> {
  return instance.post('/auth/invites/accept', { token }, null);
}

/** Adds a user who accepts the invite; returns the user's id and keys. */
export async function join(instance: TestInstance, username: string, role: 'admin' | 'user' | 'viewer' = 'user') {
  const { user, invite: sent } = await invite(instance, username, role);
  return { id: user.id, ...createdIn(acceptedInvite, await accept(instance, sent.token)) };
}

/** Creates a key as an admin; of the admin unless `body` names a user. */
export async function makeKey(
  instance: TestInstance,
  body: Readonly<Record<string, unknown>> = {},
  key: string = instance.admin.key,
): Promise<z.output<typeof createdKey>> {
  const wish = { name: 'made', scopes: ['read'], ...body };
  return createdIn(createdKey, await instance.post('/admin/api-keys', wish, key));
}
