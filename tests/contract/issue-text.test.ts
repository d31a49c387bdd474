import { expect, test } from 'vitest';
import { z } from 'zod';
import { learningInput, learningsQuery } from '../../contract/learnings.ts';
import { LEARNING_CATEGORIES } from '../../domain/ports/model.ts';
import { fetchMemoriesBody } from '../../contract/memory.ts';

/** Returns the faults of a value by field. */
function faultsOf(schema: z.ZodType, value: unknown): Record<string, string> {
  const { error } = schema.safeParse(value);
  return Object.fromEntries((error?.issues ?? []).map(({ path, message }) => [path.join('.'), message]));
}

test.each([
  [learningInput, {}, { title: 'is required', description: 'is required' }],
  [learningInput, { title: 5, description: 'd' }, { title: 'must be a text' }],
  [learningInput, { title: 't', description: 'd', examples: 'e' }, { examples: 'must be a list' }],
  [
    learningInput,
    { title: 't', description: 'd', confidence: 7, category: 'odd' },
    {
      confidence: 'must be at most 1',
      category: `must be one of ${LEARNING_CATEGORIES.join(', ')}`,
    },
  ],
  [
    learningInput,
    { title: 't', description: 'd', examples: Array(21).fill('e') },
    { examples: 'must have at most 20 entries' },
  ],
  [
    learningInput,
    { title: 't', description: 'd', odd: 1, ['x'.repeat(90)]: 2 },
    { '': `has the unknown field odd, ${'x'.repeat(40)}` },
  ],
  [fetchMemoriesBody, { ids: [] }, { ids: 'must not be empty' }],
  [learningsQuery, { session: '' }, { session: 'must have 1 to 512 characters' }],
  [
    z.object({ n: z.int(), on: z.boolean(), id: z.uuid() }),
    { n: 0.5, on: 'x', id: 'y' },
    { n: 'must be an integer', on: 'must be true or false', id: 'must be a UUID' },
  ],
  [
    z.object({ n: z.number().positive(), s: z.string().min(2) }),
    { n: 0, s: 'x' },
    { n: 'must be above 0', s: 'must have at least 2 characters' },
  ],
])('faults are sentences without words of the validation library: %#', (schema, value, faults) => {
  expect(faultsOf(schema, value)).toEqual(faults);
});
