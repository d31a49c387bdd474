import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';

const anyRows = z.array(z.record(z.string(), z.unknown()));

/** Returns one column of raw rows, checked as `type`. @throws ZodError for other rows */
export function columnOf<Value>(rows: unknown, name: string, type: z.ZodType<Value>): Value[] {
  return anyRows.parse(rows).map((row) => type.parse(row[name]));
}

/** Returns the ids of raw rows. @throws ZodError for other rows */
export function idsOf(rows: unknown): string[] {
  return columnOf(rows, 'id', z.string());
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
type CamelCased<Row> = { readonly [Name in keyof Row & string as CamelCase<Name>]: Row[Name] };

/** Returns the schema of a raw row with these columns; the parsed row names them in camel case. */
export function rowOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = new Map(
    Object.keys(shape).map((column) => [
      column,
      column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ]),
  );
  return z.object(shape).transform((row) => {
    const entries = Object.entries(row).map(([column, value]) => [names.get(column) ?? column, value]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every column has its value, `names` renames as the type does
    return Object.fromEntries(entries) as CamelCased<z.output<z.ZodObject<Shape>>>;
  });
}

/** A column of tenants. */
export const tenantColumn = z.string().transform((id) => asId<TenantId>(id));
/** A column of users. */
export const userColumn = z.string().transform((id) => asId<UserId>(id));
/** A column of bytes, parsed into hex. */
export const hexColumn = z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('hex'));
/** A column of times, parsed into RFC 3339. */
export const isoColumn = z.date().transform((time) => time.toISOString());
/** A column of times, parsed into milliseconds since 1970. */
export const millisColumn = z.date().transform((time) => time.getTime());

/** A part of a list: after a position, else by page number. */
export interface PageSlice<Place> {
  readonly after: Place | null;
  readonly page: number;
  readonly limit: number;
}

/** A part of a list. */
export interface Page<Row, Place> {
  readonly rows: Row[];
  /** Number of rows of the list; null behind a position, where they are not counted again. */
  readonly total: number | null;
  /** Start of the next page; null on the last one. */
  readonly next: Place | null;
}

/** Returns the part of a list that has no rows. */
export function noRows<Place>(after: Place | null): Page<never, Place> {
  return { rows: [], total: after === null ? 0 : null, next: null };
}

/** Splits rows that were read with one more than the limit: those of the page, and the last of them if there are more. */
export function nextOf<Row>(
  found: readonly Row[],
  limit: number,
): { readonly shown: readonly Row[]; readonly next: Row | null } {
  const shown = found.slice(0, limit);
  return { shown, next: found.length > limit ? (shown.at(-1) ?? null) : null };
}

/** Sorts rows in the order of other rows with the same ids. */
export function inOrder<Row extends { readonly id: string }>(
  order: readonly { readonly id: string }[],
  rows: readonly Row[],
): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return order.flatMap(({ id }) => {
    const row = byId.get(id);
    return row === undefined ? [] : [row];
  });
}
