import { signal } from '@preact/signals';
import type { Me } from '../contract/index.ts';
import { AskError, ask } from './ask.ts';

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

/** Shows the sign-in at the address of the page, which then continues there. */
export function signOut(): void {
  if (me.value !== undefined) me.value = null;
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
