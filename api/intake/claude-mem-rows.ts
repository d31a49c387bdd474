import { z } from 'zod';
import type { ClaudeMemRows, ClaudeMemTable } from '../../domain/claude-mem/rows.ts';
import { parseRows } from '../../stores/claude-mem/row-schemas.ts';
import { ApiError } from '../errors.ts';
import { parseJson } from '../http/json.ts';

/** Rows of one request. */
export const MAX_ROWS = 1_000;

function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(0x0a, start);
    const end = feed < 0 ? body.length : feed;
    if (end > start) lines.push(body.subarray(start, end));
    start = end + 1;
  }
  if (lines.length > MAX_ROWS)
    throw new ApiError('VALIDATION_FAILED', 'the request is not valid', [
      { field: 'body', message: `contains more than ${MAX_ROWS} rows` },
    ]);
  return lines;
}

/** Rows of NDJSON. @throws ApiError VALIDATION_FAILED that names the line and the field */
export function readRows(table: ClaudeMemTable, bytes: Buffer): ClaudeMemRows {
  const given = linesOf(bytes).map(parseJson);
  try {
    return parseRows(table, given);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new ApiError(
      'VALIDATION_FAILED',
      'the request is not valid',
      error.issues.map((issue) => ({
        field: issue.path.join('.') || 'body',
        message: `is not that of a row of ${table}`,
      })),
    );
  }
}
