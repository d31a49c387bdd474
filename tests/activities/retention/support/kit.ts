import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { RetentionDependencies } from '../../../../activities/retention/leftovers.ts';
import { stepGroup } from '../../../../activities/retention/step.ts';
import type { WorkflowHints } from '../../../../domain/ports/workflow-hints.ts';
import type { RetentionRule } from '../../../../domain/retention/policy.ts';
import { createDirectoryArchive } from '../../../../stores/archive/directory.ts';
import { createDirectoryStore } from '../../../../stores/files/directory-store.ts';
import { readPolicyState, writePolicies } from '../../../../stores/postgres/retention/retention-policies.ts';
import { approveRun, openRun, readCounts, readRun } from '../../../../stores/postgres/retention/retention-runs.ts';
import type { RetentionCount } from '../../../../stores/postgres/retention/retention-runs.ts';
import { createTestDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';

const hints: WorkflowHints = {
  session: async () => {},
  index: async () => {},
  reindex: async () => {},
  modelBatch: async () => {},
};

type Rule = Omit<RetentionRule, 'id'>;
/** A policy; deletes by default. */
export function rule(resource: Rule['resource'], ageDays: number, change: Partial<Rule> = {}): Rule {
  return { resource, ageDays, projectId: null, dataClass: null, action: 'delete', ...change };
}

export function sum(counts: readonly RetentionCount[], resource: string): number {
  return counts.filter((each) => each.resource === resource).reduce((total, each) => total + each.rows, 0);
}

/** A database with the rows of retention, and a separate tenant for each test. */
async function startRetention() {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-retention-'));
  const db = await createTestDatabase();
  const { maintenance } = db;
  const archives = createDirectoryArchive(path.join(folder, 'archive'));
  const parts: RetentionDependencies = {
    database: db.database,
    maintenance,
    archives,
    objects: createDirectoryStore(path.join(folder, 'values')),
    hints,
    embeddingModel: { name: 'm', dimension: 3 },
    clock: { now: () => Date.now() },
  };
  let user = await db.createUser({ role: 'admin' });
  function setPolicies(rules: readonly Rule[], whose: TestUser = user): Promise<void> {
    return db.database.asTenant(whose.tenantId, (transaction) =>
      writePolicies(transaction, whose.tenantId, whose.userId, rules),
    );
  }

  /** Opens a run as a person would, without doing it. */
  function open(mode: 'dry_run' | 'run', whose: TestUser = user): Promise<string> {
    const { tenantId, userId } = whose;
    return db.database.asTenant(tenantId, async (transaction) => {
      const { hash } = await readPolicyState(transaction);
      return openRun(transaction, { tenantId, groupId: null, mode, hash, userId, now: new Date() });
    });
  }

  async function finish(groupId: string): Promise<void> {
    for (;;) if (!(await stepGroup(parts, groupId, 60_000, new AbortController().signal)).more) return;
  }

  const stateOf = async (id: string, whose: TestUser = user) =>
    (await db.database.asTenant(whose.tenantId, (transaction) => readRun(transaction, id)))?.state;
  const errorOf = async (id: string) =>
    (await db.database.asTenant(user.tenantId, (transaction) => readRun(transaction, id)))?.error;

  async function countsOf(id: string, whose: TestUser = user): Promise<RetentionCount[]> {
    const counts = await db.database.asTenant(whose.tenantId, (transaction) => readCounts(transaction, id, 1_000));
    return counts.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  /** Runs an approved dry run and then the run; returns the counts of both. */
  async function dryThenRun(whose: TestUser = user): Promise<{ planned: RetentionCount[]; done: RetentionCount[] }> {
    const dry = await open('dry_run', whose);
    await finish(dry);
    await db.database.asTenant(whose.tenantId, (transaction) => approveRun(transaction, dry, whose.userId));
    const run = await open('run', whose);
    await finish(run);
    expect([await stateOf(dry, whose), await stateOf(run, whose)]).toEqual(['completed', 'completed']);
    return { planned: await countsOf(dry, whose), done: await countsOf(run, whose) };
  }

  const rowsOf = async (sessionId: string) => ({
    prompts: await db.count('prompts WHERE session_id = $1', [sessionId]),
    observations: await db.count('observations WHERE session_id = $1', [sessionId]),
    keys: await db.count('capture_keys WHERE session_id = $1', [sessionId]),
    removing: await db.count(
      'embedding_removals WHERE resource_id IN (SELECT row_id FROM capture_keys WHERE session_id = $1)',
      [sessionId],
    ),
  });
  return {
    folder,
    db,
    maintenance,
    archives,
    parts,
    setPolicies,
    open,
    finish,
    stateOf,
    errorOf,
    countsOf,
    dryThenRun,
    count: db.count,
    rowsOf,
    /** New tenants, and no policies of others. */
    async begin() {
      await db.owner.query('TRUNCATE retention_policies');
      user = await db.createUser({ role: 'admin' });
      return { user, stranger: await db.createUser({ role: 'admin' }) };
    },
    async close() {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
type RetentionKit = Awaited<ReturnType<typeof startRetention>>;

/** Registers a kit for a test file and new tenants for each of its tests. All members exist once the hooks have run. */
export function fileRetention() {
  const kit = {} as RetentionKit;
  const [user, stranger] = [{} as TestUser, {} as TestUser];
  beforeAll(async () => {
    Object.assign(kit, await startRetention());
  });
  beforeEach(async () => {
    const users = await kit.begin();
    Object.assign(user, users.user);
    Object.assign(stranger, users.stranger);
  });
  afterAll(() => kit.close());
  return { kit, user, stranger };
}
