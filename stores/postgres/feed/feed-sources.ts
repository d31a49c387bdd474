import type { FeedType } from '../../../domain/feed.ts';
import { isNotRestrictedAmongMany } from '../erasure/restricted.ts';

/** What a feed is limited to; a statement is written for each. */
export const FEED_SCOPES = ['all', 'project', 'session'] as const;
export type FeedScope = (typeof FEED_SCOPES)[number];

/** Returns the scope of a filter: a session limits a feed, else a project. */
export function scopeOf(filter: {
  readonly projectId: string | undefined;
  readonly sessionId: string | undefined;
}): FeedScope {
  if (filter.sessionId !== undefined) return 'session';
  return filter.projectId === undefined ? 'all' : 'project';
}

/** Rows that are items of the feed. Items of one time are ordered by id, then by `n`: a session is two items with one id. */
export interface FeedSource {
  readonly n: number;
  readonly type: FeedType;
  readonly from: string;
  /** Time of an item: the last column of an index over tenant (and user, if `isPrivate`). */
  readonly at: string;
  /** Column of the item's session. */
  readonly session: string;
  /** Column of its project; null: that of the session. */
  readonly project: string | null;
  readonly where: string;
  /** Read by its user and admins only. */
  readonly isPrivate: boolean;
}

/** How a statement limits a source to its scope. */
interface SourceLimit {
  /** Condition on its rows; '' for none. */
  readonly condition: string;
  /** Its rows are limited to a project by a join with their sessions. */
  readonly isJoined: boolean;
  /** Its rows are read by user: an index then has them in order. The rows of a session have one user. */
  readonly isByReader: boolean;
}

/** Returns how a source is limited to a scope. `parameters`: those of the ids in the statement. */
export function limitOf(
  { project, session, isPrivate }: FeedSource,
  scope: FeedScope,
  parameters: { readonly project: string; readonly session: string },
): SourceLimit {
  const isJoined = scope === 'project' && project === null;
  const conditions = {
    all: '',
    project: isJoined ? '' : ` AND ${project} = ${parameters.project}::uuid`,
    session: ` AND ${session} = ${parameters.session}::uuid`,
  };
  return { condition: conditions[scope], isJoined, isByReader: isPrivate && scope !== 'session' };
}

/** The columns of a table before its join with sessions are named `r`. */
const shown = (session: string, more: string) => `${isNotRestrictedAmongMany(session, 'r.user_id')}${more}`;

export const FEED_SOURCES: readonly FeedSource[] = [
  {
    n: 1,
    type: 'session',
    from: 'sessions',
    at: 'r.started_at',
    session: 'r.id',
    project: 'r.project_id',
    where: shown('r.id', " AND r.status <> 'deleted'"),
    isPrivate: false,
  },
  {
    n: 2,
    type: 'prompt',
    from: 'prompts',
    at: 'r.occurred_at',
    session: 'r.session_id',
    project: null,
    where: shown('r.session_id', ''),
    isPrivate: true,
  },
  {
    n: 3,
    type: 'observation',
    from: 'observations',
    at: 'r.occurred_at',
    session: 'r.session_id',
    project: null,
    where: shown('r.session_id', ''),
    isPrivate: true,
  },
  {
    n: 4,
    type: 'summary',
    from: 'summaries',
    at: 'r.occurred_at',
    session: 'r.session_id',
    project: 'r.project_id',
    where: shown('r.session_id', ' AND r.published'),
    isPrivate: false,
  },
  {
    n: 5,
    type: 'learning',
    from: 'learnings',
    at: 'r.valid_from',
    session: 'r.session_id',
    project: 'r.project_id',
    where: shown('r.session_id', ' AND r.valid_to IS NULL'),
    isPrivate: false,
  },
  {
    n: 6,
    type: 'session',
    from: 'sessions',
    at: 'r.ended_at',
    session: 'r.id',
    project: 'r.project_id',
    where: shown('r.id', " AND r.status <> 'deleted' AND r.ended_at IS NOT NULL"),
    isPrivate: false,
  },
];

/** Users whose private rows are read: the viewer, or for admins every user. An index over the user then has their rows in order. */
export const READERS = '(SELECT id FROM users WHERE $2::uuid IS NULL OR id = $2::uuid)';
