import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import { readContaining } from '../../../../stores/postgres/search/containing.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

const db = fileDatabase();
const owner = fileUser(db);
const learning = newId();

beforeAll(async () => {
  await db.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, context, examples, confidence, tags, valid_from)
     VALUES ($1, $2, $3, '\\x01', 'general', 'Deploys', 'Made by hand', 'On staging', '["Ask the harbour master", "see scripts/tow.sh"]', 0.8, '{}', now())`,
    [learning, owner.tenantId, owner.userId],
  );
});

test.each<[string, string[], string[], boolean]>([
  ['its description', ['made by hand'], [], true],
  ['its context', ['on staging'], [], true],
  ['an example, which is shown as well', ['harbour master'], [], true],
  ['a file that an example names', [], ['tow.sh'], true],
  ['one of two phrases alone', ['made by hand', 'made by ship'], [], false],
  ['another file', [], ['pull.sh'], false],
])('matching a learning by %s', async (_what, phrases, files, matches) => {
  const matched = await db.database.readAsTenant(owner.tenantId, (read) =>
    readContaining(read, [{ type: 'learning', id: learning }], phrases, files),
  );
  expect(matched.has(learning)).toBe(matches);
});
