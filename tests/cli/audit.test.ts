import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { auditEntrySchema } from '../../contract/audit.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { runProgram, writeCredentials } from './support/output.ts';

const dataDir = longLivedFolder();
const instance = fileInstance();
const run = (...args: string[]) => runProgram(['audit', ...args, '--data-dir', dataDir]);

beforeAll(async () => {
  writeCredentials(dataDir, instance);
  await instance.get('/admin/settings');
  const viewer = await instance.user({ role: 'viewer' });
  await instance.get('/admin/settings', viewer.key);
});

test('audit list prints the newest rows as a table or as JSON, filtered', async () => {
  const { code, text } = await run('list');
  expect(code).toBe(0);
  expect(text).toMatch(/^ROW +TIME \(UTC\) +USER +ACTION +SUBJECT +STATUS +ADDRESS\n/);
  expect(text).toMatch(/\n1 +\d{4}-\S+Z +[0-9a-f-]{36} +GET \/admin\/settings +- +200 +127\.0\.0\.1\n/);
  const refused = JSON.parse((await run('list', '--status', '4', '--json')).text);
  expect(refused).toMatchObject([{ seq: 2, status: 403 }]);
  expect((await run('list', '--user', instance.admin.tenantId)).text).toBe('No rows.\n');
});

test('audit export writes the filtered rows to a file', async () => {
  const file = path.join(dataDir, 'audit.ndjson');
  expect(await run('export', '--action', 'GET /admin/settings', '--out', file)).toMatchObject({
    code: 0,
    text: `${file}\n`,
  });
  const rows = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(rows.map((row) => auditEntrySchema.parse(JSON.parse(row)).seq)).toEqual([2, 1]);
});

test('audit verify exits with 0 for an intact log and with 1 for a changed one', async () => {
  expect(await run('verify')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^\d+ rows verified\. No faults\.\n$/),
  });
  await instance.db.superuser.query('DELETE FROM audit_log WHERE tenant_id = $1 AND seq = 2', [
    instance.admin.tenantId,
  ]);
  expect(await run('verify')).toMatchObject({ code: 1, text: expect.stringContaining('First fault: row 2, missing') });
});
