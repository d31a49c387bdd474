import { beforeAll, describe, expect, test } from 'vitest';
import { stepGroup } from '../../../activities/retention/step.ts';
import type { ObjectStore } from '../../../domain/ports/object-store.ts';
import { fullValueKey } from '../../../domain/ports/object-store.ts';
import { addHold, releaseHold } from '../../../stores/postgres/retention/legal-holds.ts';
import { approveRun } from '../../../stores/postgres/retention/retention-runs.ts';
import { rule, fileRetention, sum } from './support/kit.ts';
import { daysAgo, makeMonth, makeOldSession } from './support/old-rows.ts';

const { kit, user } = fileRetention();
let objects: ObjectStore;

beforeAll(async () => {
  if (kit.parts.objects === null) throw new Error('the kit stores full values');
  ({ objects } = kit.parts);
});

/** A stored full value and its truncated text. */
async function storeFullValue(digit: string): Promise<{ readonly key: string; readonly content: string }> {
  const hash = digit.repeat(64);
  const key = fullValueKey(user.tenantId, hash);
  await objects.put(key, new TextEncoder().encode('full value'));
  return { key, content: `${'x'.repeat(20_000)} bytes in all (sha256:${hash}), the middle is left out ` };
}

const listed = () => kit.count('expired_full_values WHERE tenant_id = $1', [user.tenantId]);

describe('a full value', () => {
  test('remains while a row under a hold uses it', async () => {
    const { key, content } = await storeFullValue('b');
    const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content });
    const onHold = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content });
    const hold = await kit.db.database.asTenant(user.tenantId, (transaction) =>
      addHold(transaction, { ...user, subject: 'session', subjectId: onHold.id, reason: 'a case' }),
    );
    await kit.setPolicies([rule('observation', 90), rule('prompt', 90)]);
    await kit.dryThenRun();
    expect((await kit.rowsOf(old.id)).observations).toBe(0);
    expect(await objects.get(key)).not.toBeNull();
    expect(await listed()).toBe(0);
    await kit.db.database.asTenant(user.tenantId, (transaction) =>
      releaseHold(transaction, hold?.id ?? '', user.userId),
    );
    await kit.dryThenRun();
    expect(await objects.get(key)).toBeNull();
  });

  test('remains while a younger session uses it, after a session is deleted', async () => {
    const { key, content } = await storeFullValue('c');
    await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content });
    const young = await makeOldSession(kit.db, user, { at: daysAgo(10), rows: 1, content });
    await kit.setPolicies([rule('session', 90)]);
    expect(sum((await kit.dryThenRun()).done, 'session')).toBe(1);
    expect(await objects.get(key)).not.toBeNull();
    await kit.db.write("UPDATE sessions SET last_event_at = now() - interval '100 days' WHERE id = $1", [young.id]);
    await kit.dryThenRun();
    expect(await objects.get(key)).toBeNull();
  });

  test('remains while an archived session uses it', async () => {
    const { key, content } = await storeFullValue('e');
    await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content });
    const projectId = await kit.db.createProject(user);
    const ofProject = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content, projectId });
    await kit.setPolicies([rule('session', 90), rule('session', 50, { action: 'archive', projectId })]);
    expect(sum((await kit.dryThenRun()).done, 'session')).toBe(2);
    expect(await kit.rowsOf(ofProject.id)).toMatchObject({ observations: 0 });
    expect(await objects.get(key)).not.toBeNull();
    await kit.setPolicies([rule('session', 90)]);
    expect(sum((await kit.dryThenRun()).done, 'session')).toBe(1);
    expect([await objects.get(key), await listed()]).toEqual([null, 0]);
  });

  test('is deleted by a later run if its store fails', async () => {
    const { key, content } = await storeFullValue('d');
    const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 1, content });
    await kit.setPolicies([rule('observation', 90), rule('prompt', 90)]);
    const dry = await kit.open('dry_run');
    await kit.finish(dry);
    await kit.db.database.asTenant(user.tenantId, (transaction) => approveRun(transaction, dry, user.userId));
    const run = await kit.open('run');
    const failing = { ...objects, delete: () => Promise.reject(new Error('EIO')) };
    const { signal } = new AbortController();
    await expect(stepGroup({ ...kit.parts, objects: failing }, run, 60_000, signal)).rejects.toThrow('EIO');
    expect((await kit.rowsOf(old.id)).observations).toBe(0);
    expect([await listed(), (await objects.get(key)) === null]).toEqual([1, false]);
    await kit.finish(run);
    expect([await listed(), await objects.get(key)]).toEqual([0, null]);
  });
});

test('dropping a month of prompts removes their words from chunks and cached responses', async () => {
  const { middle, month } = await makeMonth(kit.db, 11);
  const old = await makeOldSession(kit.db, user, { at: middle, rows: 2 });
  await kit.db.write(
    `INSERT INTO model_response_cache (id, tenant_id, session_id, prompt_version, request_sha256, response, provider, model, tokens, expires_at)
     VALUES (uuidv7(), $1, $2, 'v', sha256('q'), '{}', 'p', 'm', 1, now() + interval '1 day')`,
    [user.tenantId, old.id],
  );
  await kit.setPolicies([rule('prompt', 90)]);
  await kit.dryThenRun();
  expect(await kit.count(`pg_class WHERE relname = 'prompts_${month.replace('-', '_')}'`)).toBe(0);
  expect(await kit.rowsOf(old.id)).toEqual({ prompts: 0, observations: 2, keys: 5, removing: 2 });
  expect(
    await kit.count("embeddings WHERE resource_id = ANY ($1) AND state = 'pending' AND revision > 0", [
      old.observations,
    ]),
  ).toBe(2);
  expect(await kit.count('model_response_cache WHERE session_id = $1', [old.id])).toBe(0);
});
