import { z } from 'zod';
import { FAILURE_TYPES } from '../../../workflows/failure-types.ts';
import { until } from '../../setup/until.ts';
import type { FaultInstance, ServiceName } from './fault-instance.ts';

const REQUEST_MS = 20_000;
const START_MS = 60_000;
const END_MS = 180_000;

const stateOf = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  error: z.string().nullable(),
});
/** The row of a job, as the API returns it. */
export type JobRow = z.output<typeof stateOf>;
/** Some runs and imports are nested in another object. */
const jobAnswer = z.union([z.looseObject({ run: stateOf }).transform(({ run }) => run), stateOf]);

/** Anything with a public API. */
export type ApiTarget = Pick<FaultInstance, 'credentials' | 'account'>;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends one request of the operator; returns status 0 if there was no response. A Buffer is sent as a compressed file. */
export async function request(
  { credentials: { url, apiKey } }: ApiTarget,
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
    // No listener, or the connection broke: the server was killed.
    return { status: 0, body: error instanceof Error ? error.message : String(error) };
  }
}

/** Routes that start and read a kind of job. */
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

/** Starts a job. @throws Error if it is not accepted */
export async function start(instance: ApiTarget, kind: JobKind, body?: object): Promise<JobRow> {
  const answer = await request(instance, 'POST', kind.start, body);
  if (answer.status !== 202) throw new Error(`POST ${kind.start}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return jobAnswer.parse(answer.body);
}

/** Returns the row of a job; undefined while the server is unavailable. */
export async function readJob(instance: ApiTarget, { rows }: JobKind, id: string): Promise<JobRow | undefined> {
  const answer = await request(instance, 'GET', `${rows}/${id}`);
  return answer.status === 200 ? jobAnswer.parse(answer.body) : undefined;
}

/** Waits until a job has ended in any state. */
export async function ended(instance: ApiTarget, kind: JobKind, id: string): Promise<JobRow> {
  let last: JobRow | undefined;
  try {
    return await until(
      async () => {
        last = (await readJob(instance, kind, id)) ?? last;
        return last === undefined || last.state === 'running' ? undefined : last;
      },
      END_MS,
      `the end of ${kind.rows}/${id}`,
    );
  } catch (cause) {
    throw new Error(`${JSON.stringify(last)}\n${instance.account()}`, { cause });
  }
}

/** Runs a job without a fault. @throws Error if it does not complete */
export async function done(instance: ApiTarget, kind: JobKind, body?: object): Promise<JobRow> {
  const row = await ended(instance, kind, (await start(instance, kind, body)).id);
  if (row.state !== 'completed') throw new Error(`${kind.start}: ${JSON.stringify(row)}`);
  return row;
}

/** A job during which a service is killed. */
export interface Disturbed {
  readonly kind: JobKind;
  readonly body?: object;
  /** Polled with the job's row until true. */
  readonly isUnderWay: (row: JobRow) => boolean | Promise<boolean>;
}

/** Result of a job whose service was killed. */
export interface Outcome {
  readonly row: JobRow;
  /** Type of the failure after which it was started again; null if it continued by itself. */
  readonly failure: string | null;
  /** From the kill to the end of the job. */
  readonly seconds: number;
}

async function underWay(instance: FaultInstance, { kind, body, isUnderWay }: Disturbed): Promise<string> {
  const { id } = await start(instance, kind, body);
  await until(
    async () => {
      const row = await readJob(instance, kind, id);
      if (row === undefined) return undefined;
      if (row.state !== 'running') throw new Error(`it ended before the kill: ${JSON.stringify(row)}`);
      return (await isUnderWay(row)) ? true : undefined;
    },
    START_MS,
    `${kind.rows}/${id} to be under way`,
  );
  return id;
}

/**
 * Starts jobs, the longest first, and kills a service while all of them run. Waits for the recovery and the jobs: each continues, or fails with
 * one of the known types of failure and completes when started again.
 */
export async function killedUnderWay(
  instance: FaultInstance,
  service: ServiceName,
  jobs: readonly Disturbed[],
): Promise<Outcome[]> {
  const ids: string[] = [];
  for (const job of jobs) ids.push(await underWay(instance, job));
  const running = await Promise.all(jobs.map(({ kind }, n) => readJob(instance, kind, ids[n] ?? '')));
  const over = running.find((row) => row?.state !== 'running');
  if (over !== undefined) throw new Error(`it ended before the kill: ${JSON.stringify(over)}`);
  const killedAt = performance.now();
  await instance.recovered(instance.kill([service]));
  return Promise.all(
    jobs.map(async ({ kind, body }, n): Promise<Outcome> => {
      const row = await ended(instance, kind, ids[n] ?? '');
      const seconds = Math.round((performance.now() - killedAt) / 100) / 10;
      if (row.state === 'completed') return { row, failure: null, seconds };
      const failure = z.enum(FAILURE_TYPES).parse(row.error);
      return { row: await done(instance, kind, body), failure, seconds };
    }),
  );
}
