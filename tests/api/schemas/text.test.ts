import { expect, test } from 'vitest';
import { flag, numeric, oneOrMore, tagsJoined } from '../../../contract/query.ts';
import { timestamp } from '../../../contract/shared.ts';
import { line, text } from '../../../contract/text.ts';
import { z } from 'zod';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

test('text is measured in characters, as JSON Schema measures it', () => {
  expect(['', 'a', '𐍈𐍈𐍈', '𐍈𐍈𐍈𐍈'].map((value) => accepts(text(3), value))).toEqual([false, true, true, false]);
  expect(['𐍈', '𐍈𐍈', 'ab'].map((value) => accepts(text(3, 2), value))).toEqual([false, true, true]);
  expect(z.toJSONSchema(text(3).optional())).toMatchObject({ type: 'string', minLength: 1, maxLength: 3 });
});

test('a line needs a character that is no white space for any tool', () => {
  expect([' \t\n', '\u0085', '\uFEFF', '\u001C', ' a ', '\u0000'].map((value) => accepts(line(9), value))).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
  expect(line(9).parse(' a ')).toBe('a');
});

test('numbers and booleans of an address are spelled as in JSON', () => {
  const count = numeric(z.number().int().min(0)).prefault(7);
  expect(['0', '12', '1e2', '', '0x1f', ' 1', '1.5', 'Infinity'].map((value) => accepts(count, value))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
  expect(count.parse(undefined)).toBe(7);
  expect(['true', 'false', '1', 'yes', ''].map((value) => accepts(flag(), value))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(z.toJSONSchema(z.object({ count, flag: flag().prefault(false) }), { io: 'input' })).toMatchObject({
    properties: { count: { type: 'integer', default: 7 }, flag: { type: 'boolean', default: false } },
  });
});

test('values joined by commas', () => {
  expect(oneOrMore(['a', 'b']).parse('a, b')).toEqual(['a', 'b']);
  expect(['', 'c', 'a,', 'a;b'].map((value) => accepts(oneOrMore(['a', 'b']), value))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(tagsJoined().parse('one tag, 𐍈')).toEqual(['one tag', '𐍈']);
  expect([',', ' ', 'a,,b', 'x'.repeat(65)].map((value) => accepts(tagsJoined(), value))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('times are those of RFC 3339 that PostgreSQL knows, with days as the calendar has them', () => {
  const good = ['2024-02-29T00:00:00Z', '0001-01-01T23:59:59.123456789+15:59', '2000-02-29T12:00:00-00:00'];
  const bad = [
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '0000-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-01-01T00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:00+16:00',
    '2024-01-01T00:00:00',
    '٢٠٢٤-01-01T00:00:00Z',
  ];
  expect(good.filter((value) => !accepts(timestamp, value))).toEqual([]);
  expect(bad.filter((value) => accepts(timestamp, value))).toEqual([]);
});
