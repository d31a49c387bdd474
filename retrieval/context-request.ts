import type { Bounds } from '../domain/access.ts';
import type { TenantId } from '../domain/ids.ts';
import type { MemoryType } from '../domain/ports/vector-index.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import type { ContextPurpose } from '../stores/postgres/memories/memory-uses.ts';
import { findProject, hasMemories, projectOfSession } from '../stores/postgres/projects/projects.ts';
import type { ProjectName } from '../stores/postgres/projects/projects.ts';
import { findSessionId } from '../stores/postgres/sessions/sessions.ts';
import { NOTHING_SERVED, readServed, subjectOf } from '../stores/postgres/memories/served-context.ts';
import type { ServedMemories } from '../stores/postgres/memories/served-context.ts';

export interface ContextRequest {
  readonly tenantId: TenantId;
  /** The user who receives the block. */
  readonly userId: string;
  readonly viewerId: string | undefined;
  /** Of the key; null: none. */
  readonly bounds: Bounds | null;
  readonly purpose: ContextPurpose;
  /** Id, git remote, root path or name; null: the project of the requesting session. */
  readonly project: string | null;
  readonly namespace: string;
  /** The requesting session: own id, or `host:external id`. */
  readonly sessionId: string | null;
  readonly prompt: string | null;
  readonly file: string | null;
  readonly budgetTokens: number;
  /** The block is empty without a known session of a project, and for a repeated file. */
  readonly byHook?: boolean;
  /** Nothing is recorded as served. */
  readonly isPreview?: boolean;
  /** Aborted when the client disconnects: nothing is recorded as served, and the call may reject with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** One memory in a block. */
export interface ContextItem {
  readonly id: string;
  readonly type: MemoryType;
  /** Why it is included, for people. */
  readonly reason: string;
  readonly tokens: number;
  readonly value: number;
  /** Positions of its shown passages; empty for a single line. */
  readonly passages: readonly number[];
}

export interface ContextBlock {
  /** Id for feedback; null for an empty block. Separate from the text, so that the same memory gives the same bytes. */
  readonly id: string | null;
  /** Empty if nothing was relevant enough. */
  readonly text: string;
  /** o200k tokens of `text`, never more than the budget. */
  readonly tokens: number;
  readonly items: readonly ContextItem[];
  /** Number of relevant memories that did not fit. */
  readonly omitted: number;
}

/** The context of the request, read first in one transaction. */
export interface Setting {
  readonly project: ProjectName | null;
  readonly sessionId: string | null;
  readonly subject: Uint8Array | null;
  readonly served: ServedMemories;
  /** The project has neither another session nor a learning: there is nothing to search. */
  readonly isEmpty: boolean;
}

/** Reads the user, the project, and the memories that the session knows already. */
export async function readSetting(transaction: TenantTransaction, request: ContextRequest): Promise<Setting> {
  // The requesting session belongs to the requesting user, for admins too.
  const asker = { userId: request.userId, namesAll: false };
  const sessionId = request.sessionId === null ? null : await findSessionId(transaction, request.sessionId, asker);
  const project =
    request.project === null
      ? await projectOfSession(transaction, sessionId)
      : await findProject(transaction, request.project);
  const understoodQuery = request.purpose === 'file' ? request.file : request.prompt;
  if (request.purpose === 'session_start' || understoodQuery === null)
    return { project, sessionId, subject: null, served: NOTHING_SERVED, isEmpty: false };
  const subject = subjectOf(request.purpose, understoodQuery);
  const served =
    sessionId === null ? NOTHING_SERVED : await readServed(transaction, { sessionId, userId: request.userId, subject });
  const isEmpty = project !== null && !(await hasMemories(transaction, project.id, sessionId));
  return { project, sessionId, subject, served, isEmpty };
}
