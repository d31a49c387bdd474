import { backupsSchema } from '../../contract/backups.ts';
import { jobsAnswer, scheduleSchema } from '../../contract/jobs.ts';
import { healthAnswer, indexesSchema } from '../../contract/operations.ts';
import { dataOf } from '../../contract/shared.ts';
import type { ServerClient } from '../server/server-client.ts';

/** Stuck jobs, backups and checks that are reported. */
const MOST = 100;

/** Returns what a request answers, or the code of its error: a bundle is for servers that fail. */
async function orFault<Answer>(request: Promise<Answer>): Promise<Answer | { readonly error: string }> {
  try {
    return await request;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    return { error: code };
  }
}

/** Returns a stuck job without the names of its session and project. */
async function stuckJobs(server: ServerClient): Promise<unknown> {
  const { data } = await server.get('/jobs', jobsAnswer, { state: 'stuck', limit: MOST });
  return data.map(({ session, ...job }) => ({ ...job, session: session?.id ?? null }));
}

/** Returns the schedules without the texts of the operators who paused them. */
async function schedules(server: ServerClient): Promise<unknown> {
  const { data } = await server.get('/schedules', dataOf(scheduleSchema));
  return data.map((schedule) => ({ ...schedule, pause_reason: schedule.pause_reason !== null }));
}

/** Returns the backups without who requested them. */
async function backups(server: ServerClient): Promise<unknown> {
  const { data } = await server.get('/admin/backups', backupsSchema, { limit: MOST });
  return data.map((backup) => ({ ...backup, requested_by: backup.requested_by === null ? 'schedule' : 'user' }));
}

/** Returns the state of a server: health, metrics, stuck jobs, schedules, backups, index. What does not answer has an error code. */
export async function serverReport(server: ServerClient): Promise<Readonly<Record<string, unknown>>> {
  const metrics = async (): Promise<readonly string[]> => {
    const text = await new Response(await server.download('/metrics')).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  };
  const [health, stuck, planned, taken, index, figures] = await Promise.all([
    orFault(server.get('/health', healthAnswer)),
    orFault(stuckJobs(server)),
    orFault(schedules(server)),
    orFault(backups(server)),
    orFault(server.get('/admin/reindex', indexesSchema)),
    orFault(metrics()),
  ]);
  return { health, stuck_jobs: stuck, schedules: planned, backups: taken, index, metrics: figures };
}
