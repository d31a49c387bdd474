import type { z } from 'zod';
import { RecollectError } from '../../../client/index.ts';
import { backupsSchema } from '../../../contract/backups.ts';
import { gdprRequestSchema } from '../../../contract/gdpr.ts';
import { jobsAnswer, scheduleSchema } from '../../../contract/jobs.ts';
import { sessionSchema } from '../../../contract/sessions.ts';
import type { Session } from '../../../contract/sessions.ts';
import { cursorPageOf, dataOf, pageOfItems } from '../../../contract/shared.ts';
import { usageSchema } from '../../../contract/usage.ts';
import type { Environment } from '../../../config/process-environment.ts';
import { hasHooks } from '../../install/installed.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { ago, grouped, minuteOf } from '../../text/text-layout.ts';

/** What a running instance does: whether events arrive, what is stuck, backups, costs. */
export interface Activity {
  /** The last event of each agent among the newest sessions, newest first. */
  readonly lastEvents: readonly { readonly agent: string; readonly at: string }[];
  readonly stuck: readonly { readonly job: string; readonly why: string; readonly advice: string }[];
  readonly lastBackup: { readonly id: string; readonly state: string; readonly at: string } | null;
  readonly nextBackup: string | null;
  /** Open requests about personal data, and the next deadline. */
  readonly requests: { readonly open: number; readonly nextDueAt: string | null; readonly isOverdue: boolean };
  readonly today: { readonly tokens: number; readonly quota: number; readonly usd: number };
}

const SESSIONS = 100;
const SHOWN_STUCK = 3;
const gdprPage = pageOfItems(gdprRequestSchema);

/** Reads the newest sessions; null without a server, or if it does not answer. */
export async function newestSessions(server: ServerClient | null): Promise<Session[] | null> {
  const page = await server?.get('/sessions', cursorPageOf(sessionSchema), { limit: SESSIONS }).catch(() => null);
  return page?.data ?? null;
}

/** Requests that the audit log records, because of what they read or because they are refused, are repeated after this time. */
export const RECORDED_MS = 60_000;

/** Returns true if the user of the key may not make the request. */
export function isRefused(error: unknown): boolean {
  return error instanceof RecollectError && error.status === 403;
}

/** The newest backup, and the next open request about personal data. */
type Recorded = readonly [z.output<typeof backupsSchema>, z.output<typeof gdprPage>];

/** Reads the activity of the caller's instance, again and again. */
export class ActivityReader {
  #recorded: { readonly atMs: number; readonly read: Promise<Recorded> } | null = null;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** Returns the activity with the newest sessions; backups and requests are of the last minute. Null if the api does not answer or the key may not read it. */
  async read(server: ServerClient, sessions: readonly Session[], now: number): Promise<Activity | null> {
    if (now - this.#refusedMs < RECORDED_MS) return null;
    if (this.#recorded === null || now - this.#recorded.atMs >= RECORDED_MS)
      this.#recorded = { atMs: now, read: this.#read(server) };
    try {
      return await readActivity(server, sessions, now, this.#recorded.read);
    } catch (error) {
      if (!(error instanceof RecollectError)) throw error;
      if (isRefused(error)) this.#refusedMs = now;
      return null;
    }
  }

  async #read(server: ServerClient): Promise<Recorded> {
    try {
      return await Promise.all([
        server.get('/admin/backups', backupsSchema, { limit: 1 }),
        server.get('/gdpr/requests', gdprPage, { open: true, limit: 1 }),
      ]);
    } catch (error) {
      this.#recorded = null;
      throw error;
    }
  }
}

async function readActivity(
  server: ServerClient,
  sessions: readonly Session[],
  now: number,
  recorded: Promise<Recorded>,
): Promise<Activity> {
  const since = `${new Date(now).toISOString().slice(0, 10)}T00:00:00.000Z`;
  const [jobs, schedules, usage, [backups, requests]] = await Promise.all([
    server.get('/jobs', jobsAnswer, { state: 'stuck', limit: SESSIONS }),
    server.get('/schedules', dataOf(scheduleSchema)),
    server.get('/usage', usageSchema, { since, group_by: 'model' }),
    recorded,
  ]);
  const last = new Map<string, string>();
  for (const { host, last_event_at: at } of sessions) if (at > (last.get(host) ?? '')) last.set(host, at);
  const [backup] = backups.data;
  const [request] = requests.data;
  const schedule = schedules.data.find(({ name }) => name === 'backup');
  return {
    lastEvents: [...last].map(([agent, at]) => ({ agent, at })).toSorted((a, b) => b.at.localeCompare(a.at)),
    stuck: jobs.data.flatMap(({ id, stuck }) =>
      stuck === null ? [] : [{ job: id, why: stuck.why, advice: stuck.advice }],
    ),
    lastBackup:
      backup === undefined ? null : { id: backup.id, state: backup.state, at: backup.finished_at ?? backup.created_at },
    nextBackup: schedule?.state === 'active' ? (schedule.next_runs[0] ?? null) : null,
    requests: {
      open: requests.pagination.total,
      nextDueAt: request?.due_at ?? null,
      isOverdue: request?.overdue === true,
    },
    today: { tokens: usage.budget.used_tokens, quota: usage.budget.quota_tokens, usd: usage.totals.usd },
  };
}

/** Returns a sentence for users who have not connected an agent; '' if a session was captured, an agent has the hooks, or the api does not answer. */
export async function hooksOffer(server: ServerClient, environment: Environment): Promise<string> {
  const sessions = await server.get('/sessions', cursorPageOf(sessionSchema), { limit: 1 }).catch(() => null);
  if (sessions?.pagination.total !== 0 || hasHooks(environment)) return '';
  return 'No agent is connected yet. recollect install claude-code (or another agent) adds the hooks; --dry-run shows them.\n';
}

/** Returns a sentence that names the backup in progress; '' without one, or if the api does not answer. */
export async function backupInProgress(server: ServerClient): Promise<string> {
  const backups = await server.get('/admin/backups', backupsSchema, { limit: 1 }).catch(() => null);
  const [newest] = backups?.data ?? [];
  return newest?.state === 'running' ? `Backup ${newest.id} is in progress: it continues after the next start.\n` : '';
}

function requestLines({ open, nextDueAt, isOverdue }: Activity['requests']): string[][] {
  if (nextDueAt === null) return [];
  const due = `${isOverdue ? 'overdue since' : 'next due'} ${minuteOf(nextDueAt)} UTC`;
  return [['requests', `${open} about personal data, ${due} (recollect gdpr list --open)`]];
}

/** Returns the activity as rows of a table below the services. `isConnected`: an agent has the hooks. */
export function activityRows(activity: Activity, now: number, isConnected: boolean): string[][] {
  const { lastEvents, stuck, lastBackup, nextBackup, requests, today } = activity;
  const backup =
    lastBackup === null ? 'none yet' : `${lastBackup.state} ${ago(lastBackup.at, now)} ago (${lastBackup.id})`;
  const next = nextBackup === null ? 'no next one is scheduled' : `next ${minuteOf(nextBackup)} UTC`;
  const shown = stuck.slice(0, SHOWN_STUCK).flatMap(({ job, why, advice }) => [
    ['', `${job}: ${why}`],
    ['', `  ${advice}`],
  ]);
  return [
    [
      'last events',
      lastEvents.map(({ agent, at }) => `${agent} ${ago(at, now)} ago`).join(', ') ||
        `none yet${isConnected ? '' : '; recollect install claude-code adds the hooks'}`,
    ],
    ['stuck', stuck.length === 0 ? 'nothing' : `${stuck.length} jobs (recollect jobs --state stuck)`],
    ...shown,
    ['backup', `${backup}, ${next}`],
    ...requestLines(requests),
    ['today', `$${today.usd.toFixed(2)}, ${grouped(today.tokens)} of ${grouped(today.quota)} tokens of paid models`],
  ];
}
