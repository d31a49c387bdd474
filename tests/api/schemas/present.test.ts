import { expect, test } from 'vitest';
import { z } from 'zod';
import { present } from '../../../api/http/present.ts';

const schema = z.object({
  id: z.string(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  content_sha256: z.string(),
  full_text: z.string().optional(),
});

test('a row is returned under the names of the schema, with dates as text and without other fields', () => {
  const row = { id: '1', createdAt: new Date(0), finishedAt: null, contentSha256: 'x', userId: 'private' };
  expect(present(schema, row)).toEqual({
    id: '1',
    created_at: '1970-01-01T00:00:00.000Z',
    finished_at: null,
    content_sha256: 'x',
  });
  expect(present(schema, { ...row, fullText: 'y' })).toHaveProperty('full_text', 'y');
});
