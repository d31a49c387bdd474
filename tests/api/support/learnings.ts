import { expect } from 'vitest';
import type { z } from 'zod';
import { cursorPageOf } from '../../../contract/shared.ts';
import { learningSchema } from '../../../contract/learnings.ts';
import { bodyOf } from './answers.ts';
import type { CallOptions, TestInstance } from '../../setup/instance.ts';

export type LearningAnswer = z.output<typeof learningSchema>;
const listAnswer = cursorPageOf(learningSchema);

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
  return learningSchema.parse(answer.body);
}

/** A page of learnings; fails on any answer but 200. */
export async function listed(
  instance: Pick<TestInstance, 'call'>,
  query = '',
  options: CallOptions = {},
): Promise<z.output<typeof listAnswer>> {
  return bodyOf(listAnswer, await instance.call('GET', `/learnings?${query}`, options));
}

/** Ids of a page, in its order. */
export async function idsOf(instance: Pick<TestInstance, 'call'>, query = '', options: CallOptions = {}) {
  return (await listed(instance, query, options)).data.map((learning) => learning.id);
}
