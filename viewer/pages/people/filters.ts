import { choiceParameter, flagParameter, textParameter } from '../../router/query.ts';

export const TABS = ['users', 'keys', 'audit'] as const;
export const STATES = ['active', 'inactive'] as const;
export const STATUSES = ['2', '3', '4', '5'] as const;

/** The tab and its filters, in the address. */
export const FILTERS = {
  tab: choiceParameter(TABS),
  search: textParameter(),
  state: choiceParameter(STATES),
  user: textParameter(),
  revoked: flagParameter(),
  action: textParameter(),
  subject: textParameter(),
  status: choiceParameter(STATUSES),
  since: textParameter(),
  until: textParameter(),
  cursor: textParameter(),
} as const;

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Returns the times of two days of the address, the second one included; undefined for what is no day. */
export function rangeOf(
  since: string | undefined,
  until: string | undefined,
): { readonly since: string | undefined; readonly until: string | undefined } {
  const timeOf = (day: string | undefined, laterMs: number): string | undefined => {
    const at = day === undefined || !DATE.test(day) ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
    return Number.isNaN(at) ? undefined : new Date(at + laterMs).toISOString();
  };
  return { since: timeOf(since, 0), until: timeOf(until, DAY_MS) };
}

/** Returns the link by which a person accepts an invite: the token is behind `#`, so that it is in no request and no log. */
export function joinCommand(address: string, token: string): string {
  return `recollect join '${address.replace(/\/$/, '')}/#${token}'`;
}
