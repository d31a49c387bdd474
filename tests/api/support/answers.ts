import { expect } from 'vitest';
import { z } from 'zod';
import type { ErrorCode } from '../../../api/errors.ts';
import { ERROR_STATUS } from '../../../api/errors.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { captureCounts } from '../../stores/postgres/support/captures.ts';

const errorBody = z.strictObject({
  error: z.string().min(1),
  code: z.string(),
  details: z.array(z.strictObject({ field: z.string(), message: z.string().min(1) })),
  request_id: z.string().min(1),
});

/** Checks that an answer is a documented error, in the one shape and with its status; answers the fields it names. */
export function expectError(answer: ApiAnswer, code: ErrorCode): string[] {
  expect(answer.body).toMatchObject({ code });
  expect(answer.status).toBe(ERROR_STATUS[code]);
  const body = errorBody.parse(answer.body);
  expect(answer.headers.get('x-request-id')).toBe(body.request_id);
  return body.details.map((detail) => detail.field);
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
  items: z.array(z.object({ index: z.number(), status: z.string(), id: z.string().nullable(), code: z.string().nullable(), message: z.string().nullable() })),
});

export const searchAnswer = z.object({
  data: z.array(z.looseObject({ id: z.string(), type: z.string(), content: z.string() })),
  degraded: z.array(z.string()),
  facets: z.record(z.string(), z.record(z.string(), z.number())),
  pagination: z.looseObject({ total: z.number() }),
});
