import { z } from 'zod';
import { RecollectError } from '../../client/index.ts';
import { readCredentials } from '../server/access.ts';
import { path, ServerClient } from '../server/server-client.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { failureText } from '../text/failure-text.ts';

const TIMEOUT_MS = 75_000;

/** The fields that every version answers: the server is of the older one. */
const startedSchema = z.looseObject({ id: z.string(), state: z.string(), error: z.string().nullable() });

export type BackupOutcome =
  | { readonly kind: 'created'; readonly id: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The backup that was requested continues. */
  | { readonly kind: 'interrupted' };

/** Requests a backup of a running instance, unless one is running, and waits until it is created, copied and verified, or the signal aborts. */
export async function backUpFirst(
  { dataDir, credentialsFile }: InstanceLayout,
  signal: AbortSignal,
): Promise<BackupOutcome> {
  try {
    const server = new ServerClient({ ...readCredentials(credentialsFile), timeoutMs: TIMEOUT_MS });
    const { id } = await server.post('/admin/backup', startedSchema);
    const { state, error } = await server.ended(path`/admin/backups/${id}`, startedSchema, signal);
    return state === 'completed' ? { kind: 'created', id } : { kind: 'failed', reason: `${id} ${error ?? state}.\n` };
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    if (!(error instanceof RecollectError)) throw error;
    return { kind: 'failed', reason: failureText(error, { command: undefined, dataDir, isElsewhere: false }) };
  }
}
