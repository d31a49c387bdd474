import { readFileSync } from 'node:fs';
import type { z } from 'zod';

export type JsonFile<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly reason: string };

/** Whether a thrown value is a system error with this code, such as ENOENT. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Reads and checks a JSON file. Throws only what the file system throws for a file that exists and cannot be read. */
export function readJsonFile<Schema extends z.ZodType>(file: string, schema: Schema): JsonFile<z.output<Schema>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { kind: 'absent' };
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'damaged', reason: 'it is not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'value', value: parsed.data };
  const issue = parsed.error.issues[0];
  return { kind: 'damaged', reason: issue ? `${issue.path.join('.')}: ${issue.message}` : 'it has another shape' };
}
