import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const learning = z.object({
  id: z.string(),
  project: z.object({ id: z.string(), name: z.string() }).nullable(),
  category: z.string(),
  title: z.string(),
  description: z.string(),
  context: z.string(),
  examples: z.array(z.string()),
  tags: z.array(z.string()),
  confidence: z.number(),
  origin: z.string(),
  use_count: z.number(),
  verified: z.boolean(),
  verify_note: z.string().nullable(),
  version: z.number(),
  valid_from: z.string(),
  valid_to: z.string().nullable(),
  superseded_by: z.string().nullable(),
  reason: z.string().nullable(),
  evidence: z.array(z.object({ session_id: z.string(), row_id: z.string(), quote: z.string().nullable() })),
});
export type Learning = z.output<typeof learning>;

const learningDetail = learning.extend({
  versions: z.array(
    z.object({
      id: z.string(),
      version: z.number(),
      description: z.string(),
      valid_from: z.string(),
      valid_to: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});
export type LearningDetail = z.output<typeof learningDetail>;

const learnings = z.object({
  data: z.array(learning),
  pagination: z.object({ total: z.number(), next_cursor: z.string().nullable() }),
});

export interface LearningQuery {
  readonly project?: string | undefined;
  readonly category?: string | undefined;
  readonly q?: string | undefined;
  /** That it was learned in. */
  readonly session?: string | undefined;
  readonly sort?: string | undefined;
  /** RFC 3339. */
  readonly as_of?: string | undefined;
  readonly include_closed?: boolean | undefined;
  readonly limit?: number | undefined;
}

/** Fields of a correction; what is left out stays. */
export interface LearningWords {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly category?: string | undefined;
}

/** What is known, and what people do with it. Every method rejects with ClientError. */
export class Learnings {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  list(query: LearningQuery): Promise<z.output<typeof learnings>> {
    return this.client.request('GET', `/learnings${queryOf({ ...query })}`, learnings);
  }

  show(id: string): Promise<LearningDetail> {
    return this.client.request('GET', `/learnings/${encodeURIComponent(id)}`, learningDetail);
  }

  verify(id: string, note: string | undefined): Promise<Learning> {
    return this.post(id, 'verify', note === undefined ? {} : { note });
  }

  invalidate(id: string, reason: string): Promise<Learning> {
    return this.post(id, 'invalidate', { reason });
  }

  /** Answers the new version. */
  correct(id: string, words: LearningWords): Promise<Learning> {
    return this.client.request('PUT', `/learnings/${encodeURIComponent(id)}`, learning, words);
  }

  private post(id: string, what: string, body: unknown): Promise<Learning> {
    return this.client.request('POST', `/learnings/${encodeURIComponent(id)}/${what}`, learning, body);
  }
}
