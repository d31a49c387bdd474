import type { Job, Me } from '../../contract/index.ts';
import { on } from '../../link/loadable.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';

export const TABS = ['jobs', 'schedules'] as const;
export const STATES = ['running', 'waiting', 'stuck', 'completed', 'failed', 'cancelled'] as const;
export const KINDS = [
  'session',
  'learning',
  'index',
  'reindex',
  'batch',
  'import',
  'check',
  'backup',
  'restore',
  'retention',
  'erasure',
  'export',
  'operation',
] as const;

/** Filters, and the job that is shown, in the address. */
export const FILTERS = {
  tab: choiceParameter(TABS),
  state: choiceParameter(STATES),
  kind: choiceParameter(KINDS),
  project: textParameter(),
  job: textParameter(),
} as const;

/** The user of the page, once known. */
type User = (Pick<Me, 'role' | 'scopes'> & { readonly user: Pick<Me['user'], 'id'> }) | null | undefined;

function mayWrite(user: User): boolean {
  return user?.scopes.includes('write') === true && user.role !== 'viewer';
}

/** Whether the job is of the user, or the user an admin; jobs without a session do not name their owner. */
function isAllowed({ session }: Pick<Job, 'session'>, user: User): boolean {
  return mayWrite(user) && (user?.role === 'admin' || session?.user_id === user?.user.id);
}

/** Kinds that a request retries; the others retry by themselves. */
const RETRIED: ReadonlySet<Job['kind']> = new Set(['session', 'learning', 'index', 'reindex', 'batch']);

/** Returns whether to offer a retry. Everyone who may write may start the index again. */
export function mayRetry(job: Pick<Job, 'session' | 'kind' | 'state'>, user: User): boolean {
  if (job.state === 'running' || job.state === 'completed' || !RETRIED.has(job.kind)) return false;
  return job.kind === 'index' ? mayWrite(user) : isAllowed(job, user);
}

/** Returns whether to offer to cancel a job. */
export function mayCancel(job: Pick<Job, 'session' | 'state'>, user: User): boolean {
  return (job.state === 'running' || job.state === 'waiting' || job.state === 'stuck') && isAllowed(job, user);
}

/** Events that may change the list. */
export const concernsJobs = on('session.created', 'session.updated', 'task.completed', 'system.alert');
