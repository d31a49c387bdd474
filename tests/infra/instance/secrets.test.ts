import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readOrCreateSecrets, rotateSealing } from '../../../infra/instance/secrets.ts';
import { testFolder } from '../support/folder.ts';

test('creates secrets once, readable by their owner only, and reuses them', () => {
  const file = path.join(testFolder(), 'secrets.json');
  const made = readOrCreateSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readOrCreateSecrets(file)).toEqual(made);
  expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length);
  for (const secret of Object.values(made)) expect(secret).toMatch(/^[\w-]{43}$/);
});

test('closes a file that other users could read', () => {
  const file = path.join(testFolder(), 'secrets.json');
  readOrCreateSecrets(file);
  chmodSync(file, 0o644);
  readOrCreateSecrets(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('puts a new sealing key before the others, which remain', () => {
  const file = path.join(testFolder(), 'secrets.json');
  expect(() => rotateSealing(file)).toThrow('start the instance first');
  const before = readOrCreateSecrets(file);
  const kids = [rotateSealing(file), rotateSealing(file)];
  const { newerSealing, ...others } = readOrCreateSecrets(file);
  expect(others).toEqual(before);
  expect(newerSealing).toMatch(new RegExp(`^${kids[1]}:[\\w+/]{43}=,${kids[0]}:[\\w+/]{43}=$`));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('adds a missing name and leaves unknown names unchanged', () => {
  const file = path.join(testFolder(), 'secrets.json');
  const { postgresSuperuser } = readOrCreateSecrets(file);
  writeFileSync(file, JSON.stringify({ postgresSuperuser, fromTheFuture: 'unknown' }));
  const again = readOrCreateSecrets(file);
  expect(again.postgresSuperuser).toBe(postgresSuperuser);
  expect(again.weaviateApiKey).toHaveLength(43);
  expect(readFileSync(file, 'utf8')).toContain('"fromTheFuture": "unknown"');
});

test.each([
  ['half a file', '{"postgresSup'],
  ['another shape', '[1]'],
  ['an emptied secret', '{"postgresSuperuser":""}'],
])('reports %s and does not replace the file', (_name, content) => {
  const file = path.join(testFolder(), 'secrets.json');
  writeFileSync(file, content);
  expect(() => readOrCreateSecrets(file)).toThrow(/is damaged .* Restore a copy/);
  expect(readFileSync(file, 'utf8')).toBe(content);
});
