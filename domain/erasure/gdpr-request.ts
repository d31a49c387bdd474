import { erasedName } from './erasure-journal.ts';

/** Rights of a person over the own data (Articles 15 to 20 of the GDPR). */
export const RIGHTS = ['erase', 'export', 'restrict', 'rectify'] as const;
export type Right = (typeof RIGHTS)[number];

export const REQUEST_KINDS = ['session', 'user', 'tenant', 'text', 'memory'] as const;

/** `waiting`: an admin decides, because others share the data. Open states are the first two. */
export const REQUEST_STATES = ['waiting', 'running', 'completed', 'declined', 'failed', 'cancelled'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** Longest extension of a deadline, once for each request (Article 12(3)). */
export const MAX_EXTENSION_DAYS = 60;
/** Admins are alerted so many days before a deadline. */
export const DUE_SOON_DAYS = 7;

const DAY_MS = 86_400_000;

/** Returns the deadline of a request. */
export function deadlineOf(requestedAt: Date, days: number): Date {
  return new Date(requestedAt.getTime() + days * DAY_MS);
}

/** Returns true for an open request after its deadline. */
export function isOverdue(
  { state, dueAt }: { readonly state: RequestState; readonly dueAt: Date },
  now: Date,
): boolean {
  return (state === 'waiting' || state === 'running') && dueAt <= now;
}

/** Proof of a completed request: ids, counts and hashes, no content. */
export interface RequestReceipt {
  readonly version: 1;
  readonly id: string;
  readonly right: Exclude<Right, 'erase'>;
  /** `erasedName` of the user whose data it was. */
  readonly name: string | null;
  readonly requested_at: string;
  readonly finished_at: string;
  readonly result: Readonly<Record<string, string | number | null | Readonly<Record<string, number>>>>;
}

/** Returns the receipt of a request that completes now. */
export function receiptOf(
  request: {
    readonly id: string;
    readonly right: Exclude<Right, 'erase'>;
    readonly userId: string | null;
    readonly createdAt: Date;
  },
  result: RequestReceipt['result'],
  now: Date,
): RequestReceipt {
  const { id, right, userId, createdAt } = request;
  return {
    version: 1,
    id,
    right,
    name: userId === null ? null : erasedName('user', userId),
    requested_at: createdAt.toISOString(),
    finished_at: now.toISOString(),
    result,
  };
}
