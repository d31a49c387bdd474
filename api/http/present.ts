import type { z } from 'zod';

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type Stored<Value> = Value extends string
  ? Value | Date
  : Value extends readonly (infer Item)[]
    ? readonly Item[]
    : Value;

/** A row with the fields of a response in camel case, and dates instead of their text. */
export type RowOf<Answer> = { readonly [Name in keyof Answer as Camel<Name & string>]: Stored<Answer[Name]> };

/** Returns a number for each name. */
export function numbersOf<Name extends string>(
  names: readonly Name[],
  count: (name: Name) => number,
): Record<Name, number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one entry for each name
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<Name, number>;
}

/** Returns the fields that a schema has, and no others, of a row in camel case; dates as RFC 3339. */
export function present<Schema extends z.ZodObject>(schema: Schema, row: RowOf<z.input<Schema>>): z.input<Schema> {
  const given = new Map<string, unknown>(Object.entries(row));
  const fields = Object.keys(schema.shape).flatMap((name) => {
    const value = given.get(name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
    return value === undefined ? [] : [[name, value instanceof Date ? value.toISOString() : value]];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- RowOf requires each field of the schema, under the name that is read here
  return Object.fromEntries(fields) as z.input<Schema>;
}
