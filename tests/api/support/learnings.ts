import { expect } from 'vitest';
import { z } from 'zod';
import type { CallOptions, TestInstance } from '../../setup/instance.ts';

export const learningAnswer = z.looseObject({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  confidence: z.number(),
  use_count: z.number(),
  use_weight: z.number(),
  version: z.number(),
  previous_id: z.string().nullable(),
  valid_from: z.string(),
  valid_to: z.string().nullable(),
  superseded_by: z.string().nullable(),
  reason: z.string().nullable(),
  closed_by: z.string().nullable(),
  evidence: z.array(
    z.object({ row_id: z.string(), session_id: z.string(), quote: z.string().nullable(), weight: z.number() }),
  ),
});
export type LearningAnswer = z.output<typeof learningAnswer>;

const listAnswer = z.object({
  data: z.array(learningAnswer),
  pagination: z.looseObject({
    total: z.number(),
    has_next: z.boolean(),
    has_prev: z.boolean(),
    next_cursor: z.string().nullable(),
  }),
});

/** A learning given by hand; fails on any answer but 201. */
export async function given(
  instance: Pick<TestInstance, 'call'>,
  description: string,
  more: Readonly<Record<string, unknown>> = {},
  options: CallOptions = {},
): Promise<LearningAnswer> {
  const answer = await instance.call('POST', '/learnings', {
    ...options,
    body: { title: description.slice(0, 100), description, ...more },
  });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  return learningAnswer.parse(answer.body);
}

/** A page of learnings; fails on any answer but 200. */
export async function listed(
  instance: Pick<TestInstance, 'call'>,
  query = '',
  options: CallOptions = {},
): Promise<z.output<typeof listAnswer>> {
  const answer = await instance.call('GET', `/learnings?${query}`, options);
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return listAnswer.parse(answer.body);
}

/** Ids of a page, in its order. */
export async function idsOf(instance: Pick<TestInstance, 'call'>, query = '', options: CallOptions = {}) {
  return (await listed(instance, query, options)).data.map((learning) => learning.id);
}
