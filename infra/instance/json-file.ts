import { readFileSync } from 'node:fs';
import type { z } from 'zod';

export type JsonFile<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly reason: string };

/** Returns true for a system error with this code, such as ENOENT. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Reads and validates a JSON file. @throws file system errors for an existing unreadable file */
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
    return { kind: 'damaged', reason: 'not JSON' };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'value', value: parsed.data };
  const issue = parsed.error.issues[0];
  return { kind: 'damaged', reason: issue ? `${issue.path.join('.')}: ${issue.message}` : 'invalid schema' };
}
