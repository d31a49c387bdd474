import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const VIEWER = fileURLToPath(new URL('../../viewer', import.meta.url));
const files = readdirSync(VIEWER, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /^pages\/[\w-]+\/(?:[\w-]+-)?texts\.ts$/.test(file) || file === 'texts/common.ts',
);

/** Returns the texts of a group with their names; functions are called with numbers. */
function textsIn(value: unknown, name: string): [string, string][] {
  if (typeof value === 'string') return [[name, value]];
  if (typeof value === 'function') return [[name, String(Reflect.apply(value, undefined, ['1', '2', '3']))]];
  return Object.entries(z.record(z.string(), z.unknown()).parse(value)).flatMap(([key, child]) =>
    textsIn(child, `${name}.${key}`),
  );
}

test('finds the texts', () => {
  expect(files.length).toBeGreaterThanOrEqual(3);
});

// That no text is missing is checked by types.
test.each(files)('%s has Chinese texts, none of them empty', async (file) => {
  const module: object = await import(path.join(VIEWER, file));
  for (const texts of Object.values(module)) {
    const { en, zh } = z.object({ en: z.unknown(), zh: z.unknown() }).parse(texts);
    const chinese = new Map(textsIn(zh, ''));
    const english = textsIn(en, '');
    expect([...english, ...chinese].filter(([, text]) => text.trim() === '')).toEqual([]);
    // Short names of products and formats may be the same.
    const sentences = english.filter(([, text]) => /[a-z]{3} [a-z]{3}/.test(text)).map(([name]) => name);
    expect(sentences.filter((name) => !/\p{Script=Han}/u.test(chinese.get(name) ?? ''))).toEqual([]);
  }
});
