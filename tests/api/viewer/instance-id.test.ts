import { expect, test } from 'vitest';
import { createInstanceId } from '../../../api/viewer/instance-id.ts';
import { fileDatabase } from '../../setup/database.ts';

const db = fileDatabase();

test('the id of the instance is that of its first tenant as soon as there is one', async () => {
  const instanceId = createInstanceId(db.database);
  const before = await instanceId();
  await db.createUser();
  const id = await instanceId();
  expect([id, id === before]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), false]);
  expect([await instanceId(), await createInstanceId(db.database)()]).toEqual([id, id]);
});
