import { z } from 'zod';

const anyRows = z.array(z.record(z.string(), z.unknown()));

/** Returns one column of raw rows, checked as `type`. @throws ZodError for other rows */
export function columnOf<Value>(rows: unknown, name: string, type: z.ZodType<Value>): Value[] {
  return anyRows.parse(rows).map((row) => type.parse(row[name]));
}

/** Returns the ids of raw rows. @throws ZodError for other rows */
export function idsOf(rows: unknown): string[] {
  return columnOf(rows, 'id', z.string());
}
