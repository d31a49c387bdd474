import { scopesOf } from '../../../../domain/access.ts';
import type { RouteRight } from '../route-rights.ts';
import type { Caller } from './callers.ts';
import { RULES } from './plays.ts';
import type { Play } from './plays.ts';
import type { Owner } from './objects.ts';

export const OWNERS = ['own', 'other', 'foreign'] as const;
export type OwnerKind = (typeof OWNERS)[number];

/** What is expected of a cell: the status, and the code of an error of access. */
export interface Expected {
  readonly status: number;
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'NOT_FOUND' | 'VALIDATION_FAILED' | null;
}

const FORBIDDEN: Expected = { status: 403, code: 'FORBIDDEN' };

const isAdmin = ({ role, scopes }: Caller): boolean => role === 'admin' && scopes.includes('admin');

/** Whether the level of a route lets a caller with a key pass: roles give rights only with their scope, and a viewer writes nowhere. */
export function mayPass(right: RouteRight, caller: Caller): boolean {
  const { role, scopes, isOperator } = caller;
  switch (right) {
    case 'open':
    case 'key':
      return true;
    case 'account':
      return caller.kind === 'session' || scopesOf(role).every((scope) => scopes.includes(scope));
    case 'session':
      return caller.kind === 'session';
    case 'admin':
      return isAdmin(caller);
    case 'scrape':
    case 'operator':
      return isAdmin(caller) && isOperator;
    case 'read':
      return scopes.includes('read');
    case 'read, writes':
      return scopes.includes('read') && role !== 'viewer';
    case 'self':
      return scopes.includes(role === 'viewer' ? 'read' : 'write');
    case 'capture':
    case 'write':
      return scopesOf(role, scopes).includes(right);
  }
}

/** Returns what a caller is answered with by a route, for an object of an owner. */
export function expectedOf(right: RouteRight, play: Play, caller: Caller, owner: OwnerKind): Expected {
  if (right !== 'open' && caller.kind === 'none') return { status: 401, code: 'UNAUTHENTICATED' };
  if (!mayPass(right, caller) || (play.ofKeys === true && caller.kind === 'session')) return FORBIDDEN;
  if (play.rule === 'operators')
    return isAdmin(caller) && caller.isOperator ? { status: play.status, code: null } : FORBIDDEN;
  const [own, other, foreign] = RULES[play.rule][isAdmin(caller) ? 'admin' : 'user'];
  switch ({ own, other, foreign }[owner]) {
    case 'ok':
      return play.grants?.every((scope) => caller.scopes.includes(scope)) === false
        ? FORBIDDEN
        : { status: play.status, code: null };
    case 'waits':
      return { status: 202, code: null };
    case 'forbidden':
      return FORBIDDEN;
    case 'hidden':
      return play.hidden === 422 ? { status: 422, code: 'VALIDATION_FAILED' } : { status: 404, code: 'NOT_FOUND' };
  }
}

/** The people whose private rows no answer to a caller may contain. */
export function hiddenFrom(caller: Caller, everyone: readonly Owner[]): readonly Owner[] {
  return everyone.filter(
    ({ userId, tenantId }) =>
      caller.kind === 'none' ||
      (userId !== caller.person.userId && !(isAdmin(caller) && tenantId === caller.person.tenantId)),
  );
}
