import { expect, test } from 'vitest';
import { z } from 'zod';
import { declarationOf } from '../../infra/build/declarations.ts';

const item = z.object({ id: z.string() }).meta({ id: 'Item' });
const schema = z
  .object({
    name: z.string().describe('Name of the thing'),
    'odd name': z.literal("it's"),
    size: z.number().int().nullable(),
    kinds: z.array(z.enum(['a', 'b'])).default(['a']),
    items: z.array(item),
    counts: z.record(z.string(), z.number()),
    either: z.union([item, z.boolean()]).optional(),
    anything: z.unknown(),
  })
  .meta({ id: 'Thing' });

test('an answer has every field, with defaults, and names components that are declared', () => {
  expect(declarationOf('Thing', 'Answer', schema, new Set(['Thing', 'Item']))).toBe(`export interface Thing {
  /** Name of the thing */
  readonly name: string;
  readonly 'odd name': 'it\\'s';
  readonly size: number | null;
  readonly kinds: readonly ('a' | 'b')[];
  readonly items: readonly Item[];
  readonly counts: { readonly [name: string]: number };
  readonly either?: Item | boolean | undefined;
  readonly anything: unknown;
}
`);
});

test('the fields with defaults of a body are optional, and components that are not declared are written out', () => {
  const text = declarationOf('NewThing', 'Body', schema.pick({ kinds: true, items: true }), new Set(['NewThing']));
  expect(text).toBe(`export interface NewThing {
  readonly kinds?: readonly ('a' | 'b')[] | undefined;
  readonly items: readonly {
    readonly id: string;
  }[];
}
`);
});

test('all parameters of a query are optional, and have the type of their parsed value', () => {
  const query = z.strictObject({ q: z.string(), limit: z.preprocess(Number, z.number()).prefault(20) });
  expect(declarationOf('Query', 'Query', query, new Set())).toBe(`export interface Query {
  readonly q?: string | undefined;
  readonly limit?: number | undefined;
}
`);
});

test('a union of objects becomes a type', () => {
  const union = z.discriminatedUnion('on', [
    z.object({ on: z.literal('x') }),
    z.object({ on: z.literal('y'), y: z.string() }),
  ]);
  expect(declarationOf('Either', 'Body', union, new Set())).toBe(`export type Either = {
  readonly on: 'x';
} | {
  readonly on: 'y';
  readonly y: string;
};
`);
});
