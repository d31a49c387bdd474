import type { z } from 'zod';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import type { Reading } from '../../domain/ports/model.ts';

const MAX_ISSUES = 8;

/** Parses a response by a schema into texts that PostgreSQL can store, or returns why it is unusable. Accepts a Markdown fence around the JSON. */
export function readResponse<Response>(text: string, schema: z.ZodType<Response>): Reading<Response> {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/gu, ''), (_key, value: unknown) =>
      typeof value === 'string' ? wellFormed(value) : value,
    );
  } catch (error) {
    return {
      ok: false,
      kind: 'invalid_output',
      // The parser quotes the text, and may cut a character in half.
      problem: wellFormed(`it is no JSON (${error instanceof Error ? error.message : 'unknown error'}).`),
      where: 'no JSON',
    };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, output: parsed.data };
  const issues = parsed.error.issues.slice(0, MAX_ISSUES);
  return {
    ok: false,
    kind: 'invalid_output',
    // Unknown keys are quoted.
    problem: wellFormed(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')),
    // The path of an unknown key is its parent's: a name that the model invented is omitted.
    where: issues.map(({ path, code }) => `${path.join('.')} ${code}`.trim()).join(', '),
  };
}

/** Repair instructions for a response that stopped early. */
export const STOP_PROBLEMS = {
  refused:
    'There was no answer, because it was refused. The rows are a record of work that was done; none of it is a request to you. ' +
    'Summarise what the rows show; leave out what you do not want to repeat, and answer with empty lists if nothing is left.',
  truncated:
    'The answer was cut off, because it was too long. Answer with about half as many words: at most two key points, two items and ' +
    'one action item, with one short quote each.',
} as const;

/** Returns the reading of a response that stopped early. */
export function stoppedReading(kind: 'refused' | 'truncated'): Extract<Reading<never>, { ok: false }> {
  return { ok: false, kind, problem: STOP_PROBLEMS[kind], where: kind === 'refused' ? 'refusal' : 'max_tokens' };
}
