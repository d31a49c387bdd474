import { expect } from 'vitest';
import { z } from 'zod';
import { ERROR_STATUS } from '../../../api/errors.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { captureCounts } from '../../stores/postgres/support/captures.ts';

const errorBody = z.strictObject({
  error: z.string().min(1),
  code: z.string(),
  details: z.array(
    z.strictObject({
      field: z.string(),
      message: z.string().min(1),
      id: z.string().optional(),
      type: z.string().optional(),
      preview: z.string().optional(),
    }),
  ),
  request_id: z.string().min(1),
});

export interface AnsweredError {
  readonly code: string;
  /** The fields that the details name, in order. */
  readonly fields: readonly string[];
}

/** The error in an answer. @throws when the answer is not in the one shape, its code is not documented, or its status is another. */
export function errorOf(answer: ApiAnswer): AnsweredError {
  const body = errorBody.parse(answer.body);
  const documented = new Map<string, number>(Object.entries(ERROR_STATUS)).get(body.code);
  if (documented !== answer.status) throw new Error(`${body.code} came with the status ${answer.status}`);
  if (answer.headers.get('x-request-id') !== body.request_id)
    throw new Error('the request id of the body is not the one of the header');
  return { code: body.code, fields: body.details.map((detail) => detail.field) };
}

/** Does something that must write nothing. */
export async function writingNothing<Result>(instance: TestInstance, work: () => Promise<Result>): Promise<Result> {
  const before = await captureCounts(instance.db.superuser);
  const result = await work();
  expect(await captureCounts(instance.db.superuser)).toEqual(before);
  return result;
}

export const captureAnswer = z.object({
  accepted: z.number(),
  duplicates: z.number(),
  rejected: z.number(),
  items: z.array(
    z.object({
      index: z.number(),
      status: z.string(),
      id: z.string().nullable(),
      code: z.string().nullable(),
      message: z.string().nullable(),
    }),
  ),
});

export const searchAnswer = z.object({
  data: z.array(z.looseObject({ id: z.string(), type: z.string(), content: z.string() })),
  degraded: z.array(z.string()),
  facets: z.record(z.string(), z.record(z.string(), z.number())),
  pagination: z.looseObject({ total: z.number() }),
});
