import { signal } from '@preact/signals';
import type { Me } from '../contract/index.ts';
import { AskError, addressOf, ask, reach } from './ask.ts';
import { trusted } from './trusted.ts';

type Scope = Me['scopes'][number];

/** The user of the page; null without a sign-in, undefined until it is known. */
export const me = signal<Me | null | undefined>(undefined);

/** Reads the user of the page. @throws AskError for other faults than a missing sign-in */
export async function loadMe(): Promise<void> {
  try {
    me.value = await ask('GET /auth/me', {});
  } catch (error) {
    if (!(error instanceof AskError) || error.status !== 401) throw error;
    me.value = null;
  }
}

/** Waits before the checks of a sign-in, ms. A proof of the identity in this tab or another one replaces the cookie: the answer that has the new one may still be under way. */
const CHECKS_MS = [0, 250, 750];
let check: Promise<boolean> | null = null;

async function checkSignIn(): Promise<boolean> {
  const before = me.value?.user.id;
  for (const waitMs of CHECKS_MS) {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const response = await reach(addressOf('GET /auth/me'), {});
    if (response.status === 401) continue;
    if (!response.ok) return false;
    const found = trusted<Me>(await response.json());
    me.value = found;
    return found.user.id === before;
  }
  me.value = null;
  return false;
}

/**
 * Returns, after a request that was refused with 401, whether the same user is signed in all the same: the request was sent with a cookie that has been
 * replaced since. Otherwise shows the sign-in at the address of the page, which then continues there.
 */
export async function isStillSignedIn(): Promise<boolean> {
  if (me.value === null || me.value === undefined) return false;
  check ??= checkSignIn()
    .catch(() => false)
    .finally(() => {
      check = null;
    });
  return check;
}

/** Returns whether to offer what needs a scope: the credential has it, and the role of the user may use it. The api checks it again. */
export function may(scope: Scope): boolean {
  const user = me.value;
  if (user?.scopes.includes(scope) !== true) return false;
  return scope === 'read' || (scope === 'admin' ? user.role === 'admin' : user.role !== 'viewer');
}

/** Returns whether to offer changes of what a user owns: to the owner and to admins. */
export function mayChangeOf(owner: string | null): boolean {
  return may('write') && (may('admin') || (owner !== null && owner === me.value?.user.id));
}

/** Returns whether to offer what only operators may do. */
export function mayOperate(): boolean {
  return me.value?.is_operator === true;
}
