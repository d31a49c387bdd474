import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createConsolidationActivities } from '../../../activities/consolidation/create-consolidation-activities.ts';
import { newId } from '../../../domain/ids.ts';
import { learningFingerprint } from '../../../stores/postgres/learnings/learnings.ts';
import type { TenantConsolidation } from '../../../workflows/operations/types.ts';
import { measureNearDuplicates } from '../../bench/summarise/near-duplicates.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { remembered } from '../../api/support/memories.ts';
import { createClassroom, learningsOf } from '../learning/support/taught.ts';
import type { Classroom } from '../learning/support/taught.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse('2026-06-01T03:40:00Z');
const instance = fileInstance();
let classroom: Classroom;
let projectId: string;
const hinted: string[] = [];

beforeAll(async () => {
  classroom = await createClassroom(instance);
  projectId = await instance.db.createProject(instance.admin, 'care');
});
afterAll(async () => {
  await classroom.close();
});
afterEach(async () => {
  await instance.write('DELETE FROM learnings');
  await instance.write('DELETE FROM entities');
  hinted.length = 0;
});

/** Runs the activity as Temporal does, from the heartbeat of a previous attempt; returns the result and the last heartbeat. */
async function consolidate(
  nowMs = NOW_MS,
  heartbeatDetails?: unknown,
  tenantId: string = instance.admin.tenantId,
): Promise<{ result: TenantConsolidation; heartbeat: unknown }> {
  const activities = createConsolidationActivities({
    ...classroom.dependencies,
    hints: {
      session: () => Promise.resolve(),
      index: (tenantId) => {
        hinted.push(tenantId);
        return Promise.resolve();
      },
      modelBatch: () => Promise.resolve(),
      reindex: () => Promise.resolve(),
    },
    clock: { now: () => nowMs },
  });
  const environment = new MockActivityEnvironment(heartbeatDetails === undefined ? {} : { heartbeatDetails }, {
    logger: new DefaultLogger('ERROR'),
  });
  let heartbeat: unknown;
  environment.on('heartbeat', (details: unknown) => {
    heartbeat = details;
  });
  return {
    result: await environment.run(() => activities.consolidate({ tenantId })),
    heartbeat,
  };
}

interface Planted {
  readonly category?: string;
  readonly project?: string | null;
  readonly tenantId?: string;
  readonly userId?: string;
  readonly confidence?: number;
  readonly verified?: boolean;
  readonly useWeight?: number;
  readonly at?: string;
  readonly decayedOn?: string | null;
  readonly print?: Uint8Array;
}

/** A current learning with one quote, as extracted. */
async function plant(description: string, given: Planted = {}): Promise<string> {
  const id: string = newId();
  const project = given.project === undefined ? projectId : given.project;
  const { category = 'best_practice', at = '2026-05-01T00:00:00Z' } = given;
  const print =
    given.print ??
    learningFingerprint({ projectId: project, namespace: 'default', ownerId: null, category, description });
  const tenantId = given.tenantId ?? instance.admin.tenantId;
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, verified_at, use_weight, use_count, valid_from, occurred_at, last_shown_at, decayed_on)
     VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, $9, $10, 1, $11, $11, $11, $12)`,
    [
      id,
      tenantId,
      project,
      given.userId ?? instance.admin.userId,
      Buffer.from(print),
      category,
      description,
      given.confidence ?? 0.6,
      given.verified === true ? at : null,
      given.useWeight ?? 0,
      at,
      given.decayedOn ?? null,
    ],
  );
  await instance.write(
    "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, 'q', $3, $4, 'a quote')",
    [id, newId(), tenantId, newId()],
  );
  return id;
}

const byId = async (id: string) => {
  const found = (await learningsOf(instance)).find((row) => row.id === id);
  if (found === undefined) throw new Error('the learning is missing');
  return found;
};

describe('a duplicate', () => {
  const first = 'The integration tests start a real PostgreSQL container before they run';
  const second = 'The integration tests start a real PostgreSQL container, before they run.';

  test('is merged: the one with higher confidence has the evidence and use of both, the other is closed', async () => {
    const weak = await plant(first, { confidence: 0.5, useWeight: 1 });
    const sure = await plant(`${second} Always.`, { confidence: 0.8, useWeight: 2 });
    const { result } = await consolidate();
    expect(result).toMatchObject({ scopes: 1, duplicates: 1, superseded: 0, decayed: 1 });
    expect(await byId(weak)).toMatchObject({ open: false, reason: 'duplicate', superseded_by: sure, sessions: 1 });
    expect(await byId(sure)).toMatchObject({ open: true, sessions: 2, confidence: expect.closeTo(0.8, 5) });
    const rows = await instance.rows('SELECT use_count, use_weight FROM learnings WHERE id = $1', [sure]);
    expect(rows).toEqual([{ use_count: 2, use_weight: 3 }]);
    expect(hinted).toEqual([instance.admin.tenantId]);
  });

  test('is unchanged in a second run', async () => {
    await plant(first);
    await plant(second, { category: 'pattern' });
    await plant('The cache lives in redis');
    await consolidate();
    const before = await learningsOf(instance);
    const { result } = await consolidate();
    expect(result).toEqual({ scopes: 1, duplicates: 0, superseded: 0, decayed: 0, pruned: 0 });
    expect(await learningsOf(instance)).toEqual(before);
  });

  test('of another project or tenant is not merged', async () => {
    const other = await instance.stranger();
    await plant(first);
    await plant(first, { project: null });
    await plant(first, { project: null, tenantId: other.tenantId, userId: other.userId });
    expect((await consolidate()).result).toMatchObject({ scopes: 2, duplicates: 0 });
    const { result } = await consolidate(NOW_MS, undefined, other.tenantId);
    expect(result).toMatchObject({ scopes: 1, duplicates: 0 });
  });

  test('that is verified takes precedence over one with higher confidence', async () => {
    const verified = await plant(first, { verified: true, confidence: 0.4, at: '2026-05-03T00:00:00Z' });
    const sure = await plant(`${second} Always.`, { confidence: 0.9 });
    await consolidate();
    expect(await byId(verified)).toMatchObject({ open: true, sessions: 2 });
    expect(await byId(sure)).toMatchObject({ open: false, superseded_by: verified });
  });

  test('that was remembered by a user takes precedence over an extracted one', async () => {
    const taught = await plant(`${second} Always.`, { confidence: 0.9 });
    for (const content of [first, 'Retry while attempts <= 3', 'Retry while attempts >= 3'])
      await remembered(instance, content, { project: projectId, occurred_at: '2026-05-01T00:00:00Z' });
    expect((await consolidate()).result).toMatchObject({ duplicates: 1, superseded: 0 });
    expect((await learningsOf(instance)).filter((row) => row.open)).toHaveLength(3);
    expect(await byId(taught)).toMatchObject({ open: false, reason: 'duplicate' });
  });

  test('remains in at most one of a hundred learnings', { timeout: 240_000 }, async () => {
    const things = ['cache', 'queue', 'parser', 'router', 'mailer', 'scheduler', 'importer', 'renderer'];
    for (const thing of things)
      for (const [tail, category] of [
        ['', 'config'],
        ['!', 'general'],
        [' in production', 'pattern'],
        [', in production.', 'solution'],
      ] as const)
        await plant(`The ${thing} of the shop writes its state to ${thing}_state${tail}`, { category });
    const measure = () =>
      measureNearDuplicates(instance.db.database, instance.admin.tenantId, (texts) =>
        classroom.dependencies.embedder.embed(texts, 'passage'),
      );
    expect((await measure()).share).toBeGreaterThan(0.5);
    await consolidate();
    const after = await measure();
    expect(after.share).toBeLessThanOrEqual(0.01);
    // Different learnings remain: nothing known is lost.
    const current = (await learningsOf(instance)).filter((row) => row.open).map((row) => row.description);
    for (const thing of things) expect(current.join('\n')).toContain(`${thing}_state`);
    expect(after.learnings).toBeLessThan(things.length * 2);
  });
});

test('closes the earlier of two contradicting learnings', async () => {
  const later = await plant('Never use tabs for indentation', { at: '2026-05-02T00:00:00Z' });
  const earlier = await plant('Always use tabs for indentation', { at: '2026-05-01T00:00:00Z' });
  expect((await consolidate()).result).toMatchObject({ duplicates: 0, superseded: 1 });
  expect(await byId(earlier)).toMatchObject({ open: false, reason: 'contradicted', superseded_by: later });
  expect(await byId(later)).toMatchObject({ open: true });
});

test("a learning of a moved session gets its project's fingerprint or is merged there", async () => {
  const description = 'The port is 8080';
  const elsewhere = learningFingerprint({
    projectId: newId(),
    namespace: 'default',
    ownerId: null,
    category: 'config',
    description,
  });
  const known = await plant(description, { category: 'config', confidence: 0.7 });
  const moved = await plant(description, { category: 'config', print: elsewhere });
  const alone = await plant('Only here', {
    print: learningFingerprint({
      projectId: null,
      namespace: 'default',
      ownerId: null,
      category: 'best_practice',
      description: 'Only here',
    }),
  });
  expect((await consolidate()).result).toMatchObject({ duplicates: 1 });
  expect(await byId(moved)).toMatchObject({ open: false, reason: 'duplicate', superseded_by: known });
  const rows = await instance.rows<{ fingerprint: Buffer }>('SELECT fingerprint FROM learnings WHERE id = $1', [alone]);
  expect(
    rows[0]?.fingerprint.equals(
      learningFingerprint({
        projectId,
        namespace: 'default',
        ownerId: null,
        category: 'best_practice',
        description: 'Only here',
      }),
    ),
  ).toBe(true);
});

describe('decay', () => {
  test('halves use in thirty days, once per day', async () => {
    const id = await plant('The cache lives in redis', { useWeight: 8, decayedOn: '2026-05-02' });
    await consolidate();
    await consolidate();
    const weight = async () =>
      (await instance.rows<{ w: number }>('SELECT use_weight::float8 AS w FROM learnings WHERE id = $1', [id]))[0]?.w;
    expect(await weight()).toBeCloseTo(4, 4);
    await consolidate(NOW_MS + 30 * DAY_MS);
    expect(await weight()).toBeCloseTo(2, 4);
  });

  test('lowers confidence without new sessions, except for verified learnings', async () => {
    const old = { at: '2024-01-01T00:00:00Z', confidence: 0.8, decayedOn: '2025-06-01' };
    const forgotten = await plant('The cache lives in redis', old);
    const verified = await plant('Deploy on Fridays, after the meeting', { ...old, verified: true });
    await consolidate();
    expect((await byId(forgotten)).confidence).toBeCloseTo(0.4, 5);
    expect((await byId(verified)).confidence).toBeCloseTo(0.8, 5);
  });
});

test('removes graph nodes without mentions', async () => {
  const [named, unnamed] = [newId(), newId()];
  for (const id of [named, unnamed])
    await instance.write(
      "INSERT INTO entities (id, tenant_id, type, name, label, first_seen, last_seen) VALUES ($1::uuid, $2, 'file', $1::uuid::text, 'a.ts', now(), now())",
      [id, instance.admin.tenantId],
    );
  await instance.write(
    "INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at) VALUES ($1, $2, $2, 'observation', $3, now())",
    [named, newId(), instance.admin.tenantId],
  );
  expect((await consolidate()).result.pruned).toBe(1);
  const rows = await instance.rows('SELECT id FROM entities');
  expect(rows).toEqual([{ id: named }]);
});

test('resumes where the previous attempt was interrupted', async () => {
  await plant('The cache lives in redis', { project: null });
  await plant('Deploy on Fridays');
  const counts = { scopes: 1, duplicates: 0, superseded: 0, decayed: 1, pruned: 0 };
  const { heartbeat } = await consolidate();
  const after = { projectId: null, namespace: 'default' };
  expect(heartbeat).toMatchObject({ after: { projectId }, counts: { scopes: 2, decayed: 2 } });
  await instance.write('UPDATE learnings SET decayed_on = NULL');
  const { result } = await consolidate(NOW_MS, { after, counts });
  expect(result).toMatchObject({ scopes: 2, decayed: 2 });
  expect((await consolidate(NOW_MS, 'nonsense')).result).toMatchObject({ scopes: 2 });
});
