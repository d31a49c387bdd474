import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { bootstrapIdentity } from '../../../infra/bootstrap/identity.ts';
import { findKey } from '../../../stores/postgres/access/api-keys.ts';
import { fileDatabase } from '../../setup/database.ts';
import { longLivedFolder } from '../support/long-lived-folder.ts';

const URL_HERE = 'http://127.0.0.1:37700';
const keysSchema = z.object({ api_key: z.string(), agent_api_key: z.string(), agent_write_api_key: z.string() });

const folder = longLivedFolder();
const credentialsPath = path.join(folder, 'credentials.json');
const db = fileDatabase();

const start = () =>
  bootstrapIdentity({ maintenanceDatabaseUrl: db.url('maintenance'), credentialsPath, url: URL_HERE });
const stored = () => keysSchema.parse(JSON.parse(readFileSync(credentialsPath, 'utf8')));
const scopesOf = async (key: string) => (await findKey(db.database.pool, key))?.principal.scopes ?? null;

test('the first start creates the operator’s key and keys with fewer scopes for agents of the same user', async () => {
  await start();
  expect(statSync(credentialsPath).mode & 0o777).toBe(0o600);
  const keys = stored();
  expect(new Set(Object.values(keys)).size).toBe(3);
  expect(await scopesOf(keys.api_key)).toEqual(['capture', 'read', 'write', 'admin']);
  expect(await scopesOf(keys.agent_api_key)).toEqual(['capture', 'read']);
  expect(await scopesOf(keys.agent_write_api_key)).toEqual(['read', 'write']);
  const users = await Promise.all(
    Object.values(keys).map(async (key) => (await findKey(db.database.pool, key))?.principal.userId),
  );
  expect(new Set(users).size).toBe(1);
  const before = readFileSync(credentialsPath, 'utf8');
  await start();
  expect(readFileSync(credentialsPath, 'utf8')).toBe(before);
});

test('the next start of an older instance adds the agents’ keys and leaves the operator’s unchanged', async () => {
  const {
    agent_api_key: _agent,
    agent_write_api_key: _write,
    ...older
  } = z.looseObject({ api_key: z.string() }).parse(JSON.parse(readFileSync(credentialsPath, 'utf8')));
  writeFileSync(credentialsPath, JSON.stringify(older));
  await start();
  const keys = stored();
  expect(keys.api_key).toBe(older.api_key);
  expect(await scopesOf(keys.agent_api_key)).toEqual(['capture', 'read']);
  expect(await scopesOf(keys.agent_write_api_key)).toEqual(['read', 'write']);
});

test('a revoked key for agents stays revoked', async () => {
  const { agent_api_key: key } = stored();
  await db.write('UPDATE api_keys SET revoked_at = now() WHERE name = $1', ['agent']);
  await start();
  expect(stored().agent_api_key).toBe(key);
  expect(await scopesOf(key)).toBeNull();
});

test('starts again after the operator’s key was revoked, and leaves it revoked', async () => {
  const { api_key: key } = stored();
  await db.write('UPDATE api_keys SET revoked_at = now() WHERE name = $1', ['local']);
  await start();
  expect(stored().api_key).toBe(key);
  expect(await scopesOf(key)).toBeNull();
});

test('does not bring back an admin who was erased; a lost file is replaced by new keys', async () => {
  await db.createUser({ role: 'admin' });
  const { api_key: key } = stored();
  await db.write("DELETE FROM users WHERE username = 'admin'");
  expect(await start()).toBe(false);
  expect(await db.count("users WHERE username = 'admin'")).toBe(0);
  expect(await scopesOf(key)).toBeNull();
  rmSync(credentialsPath);
  expect(await start()).toBe(true);
  expect(await scopesOf(stored().api_key)).toEqual(['capture', 'read', 'write', 'admin']);
});
