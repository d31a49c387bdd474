import type { TenantId } from '../domain/ids.ts';
import type { MemoryType } from '../domain/ports/vector-index.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import type { ContextPurpose } from '../stores/postgres/memories/memory-uses.ts';
import { findProject, projectOfSession } from '../stores/postgres/projects/projects.ts';
import type { ProjectName } from '../stores/postgres/projects/projects.ts';
import { findSessionId } from '../stores/postgres/sessions/sessions.ts';
import { NOTHING_TOLD, readServed, subjectOf } from '../stores/postgres/memories/served-context.ts';
import type { ServedMemories } from '../stores/postgres/memories/served-context.ts';

export interface ContextRequest {
  readonly tenantId: TenantId;
  /** Who is given the block. */
  readonly userId: string;
  readonly viewerId: string | undefined;
  readonly purpose: ContextPurpose;
  /** Id, git remote, root path or name; null: the project of the session that asks. */
  readonly project: string | null;
  readonly namespace: string;
  /** The session that asks: own id, or `host:external id`. */
  readonly sessionId: string | null;
  readonly prompt: string | null;
  readonly file: string | null;
  readonly budgetTokens: number;
  /** A session of a project asks, or nothing is told; and of a file it is told once. */
  readonly byHook?: boolean;
  /** Aborted when nobody waits any more: then nothing is recorded as served, and the block may be refused with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One memory in a block. */
export interface ContextItem {
  readonly id: string;
  readonly type: MemoryType;
  /** Why it is there, for people. */
  readonly reason: string;
  readonly tokens: number;
  readonly value: number;
  /** Places of its passages that are told; empty where it is told as a line. */
  readonly passages: readonly number[];
}

export interface ContextBlock {
  /** By which feedback names what was served; null where nothing was. It stands beside the text, so that the same memory gives the same bytes. */
  readonly id: string | null;
  /** Empty when nothing was worth it. */
  readonly text: string;
  /** o200k tokens of `text`, never more than the budget. */
  readonly tokens: number;
  readonly items: readonly ContextItem[];
  /** What was worth telling and did not fit. */
  readonly omitted: number;
}

/** What the request stands in: read first, in one transaction. */
export interface Setting {
  readonly project: ProjectName | null;
  readonly sessionId: string | null;
  readonly subject: Uint8Array | null;
  readonly told: ServedMemories;
}

/** Who asks, of which project, and what the session knows already. */
export async function readSetting(transaction: TenantTransaction, request: ContextRequest): Promise<Setting> {
  // The session that asks is the asker's own, for admins, too.
  const asker = { userId: request.userId, namesAll: false };
  const sessionId = request.sessionId === null ? null : await findSessionId(transaction, request.sessionId, asker);
  const project =
    request.project === null
      ? await projectOfSession(transaction, sessionId)
      : await findProject(transaction, request.project);
  const understoodQuery = request.purpose === 'file' ? request.file : request.prompt;
  if (request.purpose === 'session_start' || understoodQuery === null)
    return { project, sessionId, subject: null, told: NOTHING_TOLD };
  const subject = subjectOf(request.purpose, understoodQuery);
  const told =
    sessionId === null ? NOTHING_TOLD : await readServed(transaction, { sessionId, userId: request.userId, subject });
  return { project, sessionId, subject, told };
}
