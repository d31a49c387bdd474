import type { z } from 'zod';
import { learningDetail, learningSchema } from '../../contract/learnings.ts';
import type { learningCorrection } from '../../contract/learnings.ts';
import { sessionDetail, sessionSchema, summarySchema } from '../../contract/sessions.ts';
import { pageOfItems } from '../../contract/shared.ts';
import { ServerRoutes } from './server-client.ts';

export type Learning = z.output<typeof learningSchema>;
export type LearningDetail = z.output<typeof learningDetail>;
export type Summary = z.output<typeof summarySchema>;
export type SummarisedSession = z.output<typeof sessionSchema>;

export interface LearningQuery {
  readonly project?: string | undefined;
  readonly category?: string | undefined;
  readonly q?: string | undefined;
  /** Id of the session that it was learned in. */
  readonly session?: string | undefined;
  readonly sort?: string | undefined;
  /** RFC 3339. */
  readonly as_of?: string | undefined;
  readonly include_closed?: boolean | undefined;
  readonly limit?: number | undefined;
}

const part = encodeURIComponent;
const learnings = pageOfItems(learningSchema);

/** Learnings. */
export class Learnings extends ServerRoutes {
  list(query: LearningQuery): Promise<z.output<typeof learnings>> {
    return this.client.get('/learnings', learnings, { ...query });
  }

  show(id: string): Promise<LearningDetail> {
    return this.client.get(`/learnings/${part(id)}`, learningDetail);
  }

  verify(id: string, note: string | undefined): Promise<Learning> {
    return this.client.post(`/learnings/${part(id)}/verify`, learningSchema, { note });
  }

  invalidate(id: string, reason: string): Promise<Learning> {
    return this.client.post(`/learnings/${part(id)}/invalidate`, learningSchema, { reason });
  }

  /** Returns the new version. */
  correct(id: string, correction: z.input<typeof learningCorrection>): Promise<Learning> {
    return this.client.request('PUT', `/learnings/${part(id)}`, learningSchema, { body: correction });
  }
}

/** Summaries and their sessions. */
export class Summaries extends ServerRoutes {
  /** Returns the summaries of a session: its own first, then topics and items in order. */
  async ofSession(sessionId: string): Promise<Summary[]> {
    const all: Summary[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const query = { limit: 100, cursor };
      const page = await this.client.get(`/sessions/${part(sessionId)}/summaries`, pageOfItems(summarySchema), query);
      all.push(...page.data);
      cursor = page.pagination.next_cursor ?? undefined;
    }
    return all;
  }

  session(id: string): Promise<SummarisedSession> {
    return this.client.get(`/sessions/${part(id)}`, sessionDetail);
  }

  /** Returns the newest session of a project, or of all; null for none. */
  async newestSession(project?: string): Promise<SummarisedSession | null> {
    const { data } = await this.client.get('/sessions', pageOfItems(sessionSchema), { limit: 1, project });
    return data[0] ?? null;
  }
}
