import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const citedText = z.object({ text: z.string() });
const summary = z.object({
  id: z.string(),
  session_id: z.string(),
  type: z.string(),
  kind: z.string().nullable(),
  title: z.string(),
  content: z.string(),
  request: z.string().nullable(),
  investigated: z.string().nullable(),
  learned: z.string().nullable(),
  completed: z.string().nullable(),
  next_steps: z.string().nullable(),
  notes: z.string().nullable(),
  key_points: z.array(citedText),
  action_items: z.array(citedText),
  files_read: z.array(z.string()),
  files_modified: z.array(z.string()),
  model: z.string(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number(),
  version: z.number(),
  published: z.boolean(),
  occurred_at: z.string(),
});
export type Summary = z.output<typeof summary>;
const page = z.object({ data: z.array(summary), pagination: z.object({ next_cursor: z.string().nullable() }) });

const session = z.object({
  id: z.string(),
  host: z.string(),
  external_id: z.string(),
  title: z.string().nullable(),
  status: z.string(),
  project: z.object({ name: z.string() }).nullable(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
});
export type SummarisedSession = z.output<typeof session>;

/** What was written of sessions. Every method rejects with ClientError. */
export class Summaries {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  /** Everything that was written of a session: its own summary first, then topics and items in order. */
  async ofSession(sessionId: string): Promise<Summary[]> {
    const all: Summary[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const path = `/sessions/${encodeURIComponent(sessionId)}/summaries${queryOf({ limit: 100, cursor })}`;
      const { data, pagination } = await this.client.request('GET', path, page);
      all.push(...data);
      cursor = pagination.next_cursor ?? undefined;
    }
    return all;
  }

  session(id: string): Promise<SummarisedSession> {
    return this.client.request('GET', `/sessions/${encodeURIComponent(id)}`, session);
  }

  /** The newest session, of a project where one is named; null where there is none. */
  async newestSession(project?: string): Promise<SummarisedSession | null> {
    const path = `/sessions${queryOf({ limit: 1, project })}`;
    const { data } = await this.client.request('GET', path, z.object({ data: z.array(session) }));
    return data[0] ?? null;
  }
}
