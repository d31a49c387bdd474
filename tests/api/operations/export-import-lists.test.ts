import { mkdir, readdir, readlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportSchema, fileImportSchema } from '../../../contract/gdpr.ts';
import { importSchema } from '../../../contract/imports.ts';
import { newestOf } from '../../../contract/shared.ts';
import { newId } from '../../../domain/ids.ts';
import { listExports } from '../../../stores/postgres/exports/exports.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { bodyOf, expectError } from '../support/answers.ts';

const instance = fileInstance();
let user: TestUser;
let other: TestUser;

/** More than sockets and streams contain. */
const LARGE_BYTES = 256 * 1024 * 1024;
/** What this process has open (Linux). */
const OPEN_FILES = '/proc/self/fd';

/** Returns whether the api, which runs in this process, has a file open. */
async function isOpen(file: string): Promise<boolean> {
  const numbers = await readdir(OPEN_FILES);
  const targets = await Promise.all(numbers.map((number) => readlink(join(OPEN_FILES, number)).catch(() => null)));
  return targets.includes(file);
}

/** Creates an export; returns its id. */
async function exported(by: TestUser, scope: string, subject: string | null, includeRestricted = false) {
  const id: string = newId();
  await instance.write(
    `INSERT INTO exports (id, tenant_id, user_id, scope, subject, include_restricted, state, object_key, bytes, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'completed', 'none', 4, now() + interval '1 day')`,
    [id, by.tenantId, by.userId, scope, subject, includeRestricted],
  );
  return id;
}

/** Creates an import; returns its id. */
async function imported(by: TestUser, kind: string) {
  const id: string = newId();
  const options =
    kind === 'file' ? { objectKey: 'none', bytes: 1, sha256: 'none' } : { directory: '/nowhere', follow: false };
  await instance.write('INSERT INTO imports (id, tenant_id, user_id, kind, options) VALUES ($1, $2, $3, $4, $5)', [
    id,
    by.tenantId,
    by.userId,
    kind,
    JSON.stringify(options),
  ]);
  return id;
}

async function sessionOf({ tenantId, userId }: TestUser) {
  const id: string = newId();
  await instance.write(
    `INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at) VALUES ($1, $2, $3, 'test', $1::uuid::text, now(), now())`,
    [id, tenantId, userId],
  );
  return id;
}

beforeAll(async () => {
  [user, other] = [await instance.user(), await instance.user()];
  const stranger = await instance.stranger({ role: 'admin' });
  await exported(stranger, 'tenant', null);
  await imported(stranger, 'transcripts');
  await imported(stranger, 'file');
});

describe('exports', () => {
  test('of which a client reads the beginning leave no file open', async () => {
    const reader = await instance.stranger({ role: 'admin' });
    const id = await exported(reader, 'user', reader.userId);
    const root = String(instance.environment['RECOLLECT_ARCHIVE_STORE']);
    await mkdir(root, { recursive: true });
    const file = join(root, id);
    await writeFile(file, '');
    await truncate(file, LARGE_BYTES);
    await instance.write('UPDATE exports SET object_key = $1::text, bytes = $2 WHERE id = $1::uuid', [id, LARGE_BYTES]);
    const left = new AbortController();
    const answer = await fetch(`${instance.url}/api/v1/exports/${id}/file`, {
      headers: { authorization: `Bearer ${reader.key}` },
      signal: left.signal,
    });
    await answer.body?.getReader().read();
    expect(await isOpen(file)).toBe(true);
    left.abort();
    await untilTrue(async () => !(await isOpen(file)));
  });

  test('have no file after their time, also before it is removed', async () => {
    const id = await exported(user, 'user', user.userId);
    await instance.write("UPDATE exports SET expires_at = now() - interval '1 s' WHERE id = $1", [id]);
    expectError(await instance.get(`/exports/${id}/file`, user.key), 'CONFLICT');
    await instance.write('DELETE FROM exports WHERE id = $1', [id]);
  });

  const listOf = newestOf(exportSchema);
  const list = async (query: string, key?: string) => bodyOf(listOf, await instance.get(`/exports${query}`, key));

  test('are listed newest first: all for admins, else those of the own data', async () => {
    const mine = await exported(user, 'user', user.userId);
    const ofSession = await exported(user, 'session', await sessionOf(user));
    const hidden = [
      await exported(user, 'user', user.userId, true),
      await exported(user, 'tenant', null),
      await exported(user, 'session', await sessionOf(other)),
      await exported(other, 'user', user.userId),
    ];
    const own = await list('', user.key);
    expect(own.data.map(({ id }) => id)).toEqual([ofSession, mine]);
    expect(own).toMatchObject({
      data: [{ user_id: user.userId }, { subject: user.userId }],
      pagination: { next_cursor: null },
    });
    // Each of them, and no other, can be read by its id.
    for (const id of [mine, ofSession, ...hidden]) {
      const isOwn = own.data.some((row) => row.id === id);
      expect((await instance.get(`/exports/${id}`, user.key)).status).toBe(isOwn ? 200 : 404);
    }

    const all = [mine, ofSession, ...hidden].toReversed();
    const first = await list('?limit=4');
    expect(first.data.map(({ id }) => id)).toEqual(all.slice(0, 4));
    const second = await list(`?limit=4&cursor=${first.pagination.next_cursor}`);
    expect(second.data.map(({ id }) => id)).toEqual(all.slice(4));
    expect(second.pagination.next_cursor).toBeNull();
    expectError(await instance.get('/exports?cursor=odd'), 'VALIDATION_FAILED', 'cursor');
  });

  test('are read in the order of an index', async () => {
    const { db, admin } = instance;
    const plans: string[] = [];
    await db.database.asTenant(admin.tenantId, async (transaction) => {
      await transaction.$executeRaw`SET LOCAL enable_seqscan = off`;
      await transaction.$executeRaw`SET LOCAL enable_sort = off`;
      const rows = await transaction.$queryRaw<{ 'QUERY PLAN': string }[]>`
        EXPLAIN SELECT x.id FROM exports x WHERE x.tenant_id = (SELECT current_tenant_id()) ORDER BY x.id DESC LIMIT 20`;
      plans.push(...rows.map((row) => row['QUERY PLAN']));
      expect((await listExports(transaction, { ownerId: undefined, before: null, limit: 1 })).length).toBe(1);
    });
    expect(plans.join('\n')).toMatch(/Index (?:Only )?Scan using exports_tenant_id_id_idx/u);
  });
});

describe('imports', () => {
  test('are listed newest first, by their route; others see their own', async () => {
    const [mine, ofOther] = [await imported(user, 'transcripts'), await imported(other, 'claude-mem')];
    const file = await imported(instance.admin, 'file');
    const list = async (key?: string, query = '') =>
      bodyOf(newestOf(importSchema), await instance.get(`/imports${query}`, key));
    expect((await list()).data.map(({ id }) => id)).toEqual([ofOther, mine]);
    expect((await list(user.key)).data).toMatchObject([{ id: mine, user_id: user.userId, kind: 'transcripts' }]);
    const first = await list(undefined, '?limit=1');
    const second = await list(undefined, `?limit=1&cursor=${first.pagination.next_cursor}`);
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual([ofOther, mine]);
    const files = bodyOf(newestOf(fileImportSchema), await instance.get('/imports/files'));
    expect(files.data).toMatchObject([{ id: file, user_id: instance.admin.userId }]);
    expectError(await instance.get('/imports/files', user.key), 'FORBIDDEN');
  });
});
