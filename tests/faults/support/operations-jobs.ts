import { z } from 'zod';
import { FAILURE_TYPES } from '../../../workflows/failure-types.ts';
import { until } from '../../setup/until.ts';
import type { FaultInstance, ServiceName } from './fault-instance.ts';

const REQUEST_MS = 20_000;
const BEGIN_MS = 60_000;
const END_MS = 180_000;

const stateOf = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  error: z.string().nullable(),
});
/** A row that a job keeps, as the API shows it. */
export type JobRow = z.output<typeof stateOf>;
/** Runs and imports of some kinds are answered inside another object. */
const answered = z.union([z.looseObject({ run: stateOf }).transform(({ run }) => run), stateOf]);

/** Whatever has a public interface. */
export type Asked = Pick<FaultInstance, 'credentials' | 'account'>;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One request of the operator; status 0 where there was no answer. A string is sent as it is, a Buffer as a compressed file. */
export async function ask(
  { credentials: { url, apiKey } }: Asked,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<Answer> {
  const isFile = body instanceof Uint8Array;
  try {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { 'content-type': isFile ? 'application/zstd' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isFile ? new Uint8Array(body) : JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  } catch (error) {
    // Nobody listens, or the connection broke: the server was killed.
    return { status: 0, body: error instanceof Error ? error.message : String(error) };
  }
}

/** A job of some kind: how it is begun, where it is looked at. */
export interface JobKind {
  readonly start: string;
  readonly rows: string;
}

export const JOBS = {
  backup: { start: '/admin/backup', rows: '/admin/backups' },
  restore: { start: '/admin/restore', rows: '/admin/restores' },
  drill: { start: '/admin/drill', rows: '/admin/restores' },
  retention: { start: '/admin/retention', rows: '/admin/retention/runs' },
  check: { start: '/admin/consistency', rows: '/admin/consistency/checks' },
  export: { start: '/exports', rows: '/exports' },
  fileImport: { start: '/imports/files', rows: '/imports/files' },
  claudeMem: { start: '/imports', rows: '/imports' },
} as const satisfies Record<string, JobKind>;

/** Begins a job. @throws Error where it was not taken */
export async function begin(instance: Asked, { start }: JobKind, body?: object): Promise<JobRow> {
  const answer = await ask(instance, 'POST', start, body);
  if (answer.status !== 202) throw new Error(`POST ${start}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answered.parse(answer.body);
}

/** The row of a job; undefined while nobody can tell. */
export async function look(instance: Asked, { rows }: JobKind, id: string): Promise<JobRow | undefined> {
  const answer = await ask(instance, 'GET', `${rows}/${id}`);
  return answer.status === 200 ? answered.parse(answer.body) : undefined;
}

/** Awaits that a job is over, however it ended. */
export async function ended(instance: Asked, kind: JobKind, id: string): Promise<JobRow> {
  let last: JobRow | undefined;
  try {
    return await until(
      async () => {
        last = (await look(instance, kind, id)) ?? last;
        return last === undefined || last.state === 'running' ? undefined : last;
      },
      END_MS,
      `the end of ${kind.rows}/${id}`,
    );
  } catch (cause) {
    throw new Error(`${JSON.stringify(last)}\n${instance.account()}`, { cause });
  }
}

/** Runs a job that nobody disturbs. @throws Error where it is not done */
export async function done(instance: Asked, kind: JobKind, body?: object): Promise<JobRow> {
  const row = await ended(instance, kind, (await begin(instance, kind, body)).id);
  if (row.state !== 'completed') throw new Error(`${kind.start}: ${JSON.stringify(row)}`);
  return row;
}

/** A job, and how to see that it is in the middle of its work. */
export interface Disturbed {
  readonly kind: JobKind;
  readonly body?: object;
  /** Asked again and again, with what the row says. */
  readonly isUnderWay: (row: JobRow) => boolean | Promise<boolean>;
}

/** What became of a job whose service was killed. */
export interface Outcome {
  readonly row: JobRow;
  /** The type of failure that it ended with before it was begun again; null: it went on by itself. */
  readonly failure: string | null;
  /** From the kill to its end. */
  readonly seconds: number;
}

async function underWay(instance: FaultInstance, { kind, body, isUnderWay }: Disturbed): Promise<string> {
  const { id } = await begin(instance, kind, body);
  await until(
    async () => {
      const row = await look(instance, kind, id);
      if (row === undefined) return undefined;
      if (row.state !== 'running') throw new Error(`it was over before the kill: ${JSON.stringify(row)}`);
      return (await isUnderWay(row)) ? true : undefined;
    },
    BEGIN_MS,
    `${kind.rows}/${id} to be under way`,
  );
  return id;
}

/**
 * Begins jobs, the longest first, kills a service while all of them are under way, awaits that the instance is whole, and then the jobs' ends: each
 * goes on, or fails with a closed type of failure and is done when it is begun again.
 */
export async function killedUnderWay(
  instance: FaultInstance,
  service: ServiceName,
  jobs: readonly Disturbed[],
): Promise<Outcome[]> {
  const begun: string[] = [];
  for (const job of jobs) begun.push(await underWay(instance, job));
  const running = await Promise.all(jobs.map(({ kind }, n) => look(instance, kind, begun[n] ?? '')));
  const over = running.find((row) => row?.state !== 'running');
  if (over !== undefined) throw new Error(`it was over before the kill: ${JSON.stringify(over)}`);
  const killedAt = performance.now();
  await instance.recovered(instance.kill([service]));
  return Promise.all(
    jobs.map(async ({ kind, body }, n): Promise<Outcome> => {
      const row = await ended(instance, kind, begun[n] ?? '');
      const seconds = Math.round((performance.now() - killedAt) / 100) / 10;
      if (row.state === 'completed') return { row, failure: null, seconds };
      const failure = z.enum(FAILURE_TYPES).parse(row.error);
      return { row: await done(instance, kind, body), failure, seconds };
    }),
  );
}
