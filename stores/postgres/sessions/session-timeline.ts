import { z } from 'zod';
import type { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { pageBySeq } from './seq-pages.ts';
import type { SeqPage, SeqStart } from './seq-pages.ts';

/** Sub-agents that one answer names. */
const MAX_AGENTS = 200;

const agentRow = rowOf({
  id: z.string(),
  type: z.string().nullable(),
  /** Null if its start or its end was not captured. */
  started_at: z.date().nullable(),
  stopped_at: z.date().nullable(),
  prompts: z.number(),
  observations: z.number(),
});

/** A sub-agent of a session. */
export type SessionAgent = z.output<typeof agentRow>;

/** Returns the subagents of a session in the order of their first row, also if their start was missed. */
export async function readAgents(transaction: TenantTransaction, sessionId: string): Promise<SessionAgent[]> {
  const rows = await transaction.$queryRaw`
    SELECT agent_id AS id, max(agent_type) AS type, min(occurred_at) FILTER (WHERE kind = 'subagent_start') AS started_at,
           max(occurred_at) FILTER (WHERE kind = 'subagent_stop') AS stopped_at,
           (count(*) FILTER (WHERE kind = 'prompt'))::integer AS prompts, (count(*) FILTER (WHERE kind = 'observation'))::integer AS observations
      FROM (SELECT agent_id, agent_type, kind, seq, occurred_at FROM boundaries WHERE session_id = ${sessionId}::uuid AND agent_id IS NOT NULL
            UNION ALL SELECT agent_id, agent_type, 'prompt', seq, occurred_at FROM prompts WHERE session_id = ${sessionId}::uuid AND agent_id IS NOT NULL
            UNION ALL SELECT agent_id, agent_type, 'observation', seq, occurred_at FROM observations WHERE session_id = ${sessionId}::uuid AND agent_id IS NOT NULL) AS row
     GROUP BY agent_id ORDER BY min(seq) LIMIT ${MAX_AGENTS}`;
  return z.array(agentRow).parse(rows);
}

export interface TimelineQuery {
  readonly sessionId: string;
  /** User whose rows may be shown; undefined: an admin, who sees all. */
  readonly viewerId: string | undefined;
  /** Rows of this sub-agent alone. */
  readonly agentId: string | undefined;
  readonly start: SeqStart;
  readonly limit: number;
}

function ofTimeline(query: TimelineQuery) {
  return {
    sessionId: query.sessionId,
    ...(query.viewerId === undefined ? {} : { userId: query.viewerId }),
    ...(query.agentId === undefined ? {} : { agentId: query.agentId }),
  };
}

const PROMPT_COLUMNS = {
  id: true,
  seq: true,
  type: true,
  content: true,
  tokens: true,
  agentId: true,
  agentType: true,
  dataClass: true,
  redactions: true,
  occurredAt: true,
  createdAt: true,
} satisfies Prisma.PromptSelect;

export type TimelinePrompt = Prisma.PromptGetPayload<{ select: typeof PROMPT_COLUMNS }>;

/** Returns a page of prompts in captured order. */
export async function listPrompts(
  transaction: TenantTransaction,
  query: TimelineQuery,
): Promise<SeqPage<TimelinePrompt>> {
  const where = ofTimeline(query);
  return pageBySeq(query.start, query.limit, {
    find: ({ seq, ...part }) =>
      transaction.prompt.findMany({ where: { ...where, seq }, ...part, select: PROMPT_COLUMNS }),
    count: () => transaction.prompt.count({ where }),
  });
}

const OBSERVATION_COLUMNS = {
  id: true,
  seq: true,
  promptId: true,
  type: true,
  event: true,
  tool: true,
  title: true,
  preview: true,
  importance: true,
  flagged: true,
  tags: true,
  filesRead: true,
  filesModified: true,
  tokens: true,
  durationMs: true,
  agentId: true,
  agentType: true,
  dataClass: true,
  redactions: true,
  occurredAt: true,
  createdAt: true,
} satisfies Prisma.ObservationSelect;

export type TimelineObservation = Prisma.ObservationGetPayload<{ select: typeof OBSERVATION_COLUMNS }> & {
  readonly content?: string;
};

/** Returns a page of observations in captured order; with full text if `full`. */
export async function listObservations(
  transaction: TenantTransaction,
  query: TimelineQuery & { readonly full: boolean },
): Promise<SeqPage<TimelineObservation>> {
  const where = ofTimeline(query);
  return pageBySeq<TimelineObservation>(query.start, query.limit, {
    find: ({ seq, ...part }) =>
      query.full
        ? transaction.observation.findMany({
            where: { ...where, seq },
            ...part,
            select: { ...OBSERVATION_COLUMNS, content: true },
          })
        : transaction.observation.findMany({ where: { ...where, seq }, ...part, select: OBSERVATION_COLUMNS }),
    count: () => transaction.observation.count({ where }),
  });
}
