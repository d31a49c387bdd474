import { expect } from 'vitest';
import { z } from 'zod';
import { ERROR_STATUS } from '../../../api/errors.ts';
import type { ErrorCode } from '../../../api/errors.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
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

/** Expects an error with a code, and with details of exactly these fields if any are given. */
export function expectError(answer: ApiAnswer, code: ErrorCode, ...fields: readonly string[]): void {
  const error = errorOf(answer);
  expect(error).toEqual({ code, fields: fields.length === 0 ? error.fields : fields });
}

/** Returns the body of a response with the status 200, parsed. */
export function bodyOf<Schema extends z.ZodType>(schema: Schema, answer: ApiAnswer): z.output<Schema> {
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return schema.parse(answer.body);
}

/** Returns the `id` in the body of a response. */
export function idIn(answer: ApiAnswer): string {
  return z.object({ id: z.string() }).parse(answer.body).id;
}

/** Does something that must write nothing. */
export async function writingNothing<Result>(instance: TestInstance, work: () => Promise<Result>): Promise<Result> {
  const before = await captureCounts(instance);
  const result = await work();
  expect(await captureCounts(instance)).toEqual(before);
  return result;
}

/** Sends a request about the engines until they respond: on a busy machine one may take longer than its limit of some seconds. */
export function inTime(send: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
  let body: unknown;
  return until(
    async () => {
      const answer = await send();
      body = answer.body;
      return answer.status === 503 ? undefined : answer;
    },
    undefined,
    async () => `another response than ${JSON.stringify(body)}`,
  );
}

/** Requests the summary of a session and waits for it: again if a busy machine needs more than the minute that a request may wait. */
export function waitedSummary(instance: TestInstance, session: string): Promise<ApiAnswer> {
  return until(async () => {
    const answer = await inTime(async () => {
      const began = performance.now();
      const answer = await instance.post(`/sessions/${session}/summaries?wait=60`);
      if (answer.status === 202) expect(performance.now() - began).toBeGreaterThan(59_000);
      return answer;
    });
    return answer.status === 202 ? undefined : answer;
  });
}
