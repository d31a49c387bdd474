import { describe, expect, it } from 'vitest';
import { JsonEdit } from '../../../cli/install/json-edit.ts';
import { nodeAt, parseJsonText } from '../../../cli/install/json-text.ts';
import { randomFrom } from '../../domain/support/random.ts';

/** One value in different layouts. */
const STYLES: readonly ((value: unknown) => string)[] = [
  (value) => JSON.stringify(value),
  (value) => `${JSON.stringify(value, null, 2)}\n`,
  (value) => JSON.stringify(value, null, '\t'),
  (value) => `${JSON.stringify(value, null, 4).replaceAll('\n', '\r\n')}\r\n`,
  (value) => `\uFEFF${JSON.stringify(value, null, 1)}\n\n`,
  (value) => JSON.stringify(value).replaceAll('":', '"  :\n '),
];

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 3 ? 4 : 6));
  if (kind === 0) return random() < 0.5;
  if (kind === 1) return Math.round(random() * 1e6) / 1000;
  if (kind === 2) return ['', 'plain', 'a "quoted" \\ word', 'é {[,]} \n', '}'][Math.floor(random() * 5)];
  if (kind === 3) return null;
  const children = Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth + 1));
  return kind === 4 ? children : Object.fromEntries(children.map((child, index) => [`k${index} "x"`, child]));
}

describe('a value that is set and removed again leaves no trace', () => {
  it.each(STYLES.map((style, index) => [index, style] as const))('style %i', (index, style) => {
    const random = randomFrom(7 + index);
    for (let round = 0; round < 60; round += 1) {
      const value = { first: randomValue(random, 0), list: [randomValue(random, 1)], last: randomValue(random, 0) };
      const text = style(value);
      const edit = new JsonEdit(text);
      edit.set([], 'added', { deep: [1, { more: true }] });
      edit.append(['list'], { also: 'this' });
      expect(JSON.parse(edit.text.replace('\uFEFF', ''))).toEqual({
        ...value,
        list: [...value.list, { also: 'this' }],
        added: { deep: [1, { more: true }] },
      });
      edit.remove(['list', 1]);
      edit.remove(['added']);
      expect(edit.text).toBe(text);
    }
  });
});

describe('layout', () => {
  it('follows the existing indentation and line ends', () => {
    const tabs = new JsonEdit('{\r\n\t"a": 1\r\n}\r\n');
    tabs.set([], 'b', { c: [2] });
    expect(tabs.text).toBe('{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": [\r\n\t\t\t2\r\n\t\t]\r\n\t}\r\n}\r\n');
  });

  it('expands an empty object and leaves one-line values on one line', () => {
    const edit = new JsonEdit('{}\n');
    edit.set([], 'a', 1);
    expect(edit.text).toBe('{\n  "a": 1\n}\n');
    const line = new JsonEdit('{"a": {"b": 1}}');
    line.set(['a'], 'c', [2, 3]);
    expect(line.text).toBe('{"a": {"b": 1, "c": [2,3]}}');
  });

  it('replaces a value in its place', () => {
    const edit = new JsonEdit('{\n  "a": [1, 2],\n  "b": 2\n}');
    edit.set([], 'a', { x: 1 });
    edit.replace(['b'], 'two');
    expect(edit.text).toBe('{\n  "a": {\n    "x": 1\n  },\n  "b": "two"\n}');
  });
});

describe('removing', () => {
  it.each([
    ['the first', 0, '[2, 3]'],
    ['one between', 1, '[1, 3]'],
    ['the last', 2, '[1, 2]'],
  ])('%s of three', (_which, index, rest) => {
    const edit = new JsonEdit('[1, 2, 3]');
    edit.remove([index]);
    expect(edit.text).toBe(rest);
  });

  it('the only item leaves an empty list', () => {
    const edit = new JsonEdit('{ "a": [\n  1\n] }');
    edit.remove(['a', 0]);
    expect(edit.text).toBe('{ "a": [] }');
  });

  it('throws for a missing value, and for a parent that is not an object or list', () => {
    expect(() => new JsonEdit('{}').remove(['a'])).toThrow('no value at a');
    expect(() => new JsonEdit('{"a": 1}').set(['a'], 'b', 1)).toThrow('no object or list at a');
    expect(() => new JsonEdit('{').value([])).toThrow('not JSON');
  });
});

describe('reading', () => {
  it('returns the last of two members with one name, like JSON.parse', () => {
    const edit = new JsonEdit('{"a": 1, "a": 2}');
    expect(edit.value(['a'])).toBe(2);
    edit.set([], 'a', 3);
    expect(edit.text).toBe('{"a": 1, "a": 3}');
  });

  it('finds values whose text looks like brackets', () => {
    const parsed = parseJsonText('{"}": ["]", "\\"", {"{": null}]}');
    if (parsed.kind !== 'json') throw new Error(parsed.reason);
    expect(nodeAt(parsed.root, ['}', 2, '{'])).toMatchObject({ kind: 'value' });
    expect(nodeAt(parsed.root, ['}', 3])).toBeUndefined();
    expect(nodeAt(parsed.root, ['}', 0, 'x'])).toBeUndefined();
  });

  it.each([
    ['{"a": 1,}', /line 1, column 9/],
    ['{\n  // no comments\n}', /line 2, column 3/],
    ['{"key": "secret-value', /too early|line 1/],
    ['', /unexpected end/],
    [`${'['.repeat(300)}${']'.repeat(300)}`, /too deeply/],
  ])('reports the position of an error, never the text there: %#', (text, reason) => {
    const parsed = parseJsonText(text);
    expect(parsed).toMatchObject({ kind: 'broken', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });
});
