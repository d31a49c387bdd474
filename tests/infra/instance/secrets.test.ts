import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readOrCreateSecrets } from '../../../infra/instance/secrets.ts';
import { testFolder } from '../support/folder.ts';

test('secrets are made once, kept, and readable by their owner only', () => {
  const file = path.join(testFolder(), 'secrets.json');
  const made = readOrCreateSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readOrCreateSecrets(file)).toEqual(made);
  expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length);
  for (const secret of Object.values(made)) expect(secret).toMatch(/^[\w-]{43}$/);
});

test('a file that others could read is closed again', () => {
  const file = path.join(testFolder(), 'secrets.json');
  readOrCreateSecrets(file);
  chmodSync(file, 0o644);
  readOrCreateSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a name that a newer version needs is added, and unknown ones are kept', () => {
  const file = path.join(testFolder(), 'secrets.json');
  const { postgresSuperuser } = readOrCreateSecrets(file);
  writeFileSync(file, JSON.stringify({ postgresSuperuser, fromTheFuture: 'kept' }));
  const again = readOrCreateSecrets(file);
  expect(again.postgresSuperuser).toBe(postgresSuperuser);
  expect(again.weaviateApiKey).toHaveLength(43);
  expect(readFileSync(file, 'utf8')).toContain('"fromTheFuture": "kept"');
});

test.each([
  ['half a file', '{"postgresSup'],
  ['another shape', '[1]'],
  ['an emptied secret', '{"postgresSuperuser":""}'],
])('%s is an error that says so, and is never replaced', (_name, content) => {
  const file = path.join(testFolder(), 'secrets.json');
  writeFileSync(file, content);
  expect(() => readOrCreateSecrets(file)).toThrow(/is damaged .* Put back a copy/);
  expect(readFileSync(file, 'utf8')).toBe(content);
});
