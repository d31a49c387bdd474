import { v7 } from 'uuid';
import { z } from 'zod';
import { DATA_CLASSES } from '../../../domain/data-classes.ts';
import { HOUSEKEEPING_DAYS, RETAINED, RETENTION_ACTIONS, policyHash } from '../../../domain/retention/policy.ts';
import type { Retained, RetentionRule } from '../../../domain/retention/policy.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { activeLegalHolds } from './legal-holds.ts';

const ruleRow = z.object({
  id: z.string(),
  projectId: z.string().nullable(),
  resource: z.enum(RETAINED),
  dataClass: z.enum(DATA_CLASSES).nullable(),
  ageDays: z.number(),
  action: z.enum(RETENTION_ACTIONS),
});

/** Policies of the tenant, as they were written. */
export async function readPolicies(transaction: TenantTransaction): Promise<RetentionRule[]> {
  const rows = await transaction.retentionPolicy.findMany({
    orderBy: { id: 'asc' },
    select: { id: true, projectId: true, resource: true, dataClass: true, ageDays: true, action: true },
  });
  return z.array(ruleRow).parse(rows);
}

/** Replaces the policies of a tenant; an unchanged rule retains its id. */
export async function writePolicies(
  transaction: TenantTransaction,
  tenantId: string,
  userId: string,
  rules: readonly Omit<RetentionRule, 'id'>[],
): Promise<void> {
  await lockPolicies(transaction);
  const old = await readPolicies(transaction);
  const same = (a: Omit<RetentionRule, 'id'>, b: Omit<RetentionRule, 'id'>): boolean =>
    a.resource === b.resource &&
    a.projectId === b.projectId &&
    a.dataClass === b.dataClass &&
    a.ageDays === b.ageDays &&
    a.action === b.action;
  const removed = old.filter((rule) => !rules.some((next) => same(rule, next)));
  await transaction.retentionPolicy.deleteMany({ where: { id: { in: removed.map(({ id }) => id) } } });
  const added = rules.filter((rule) => !old.some((before) => same(rule, before)));
  await transaction.retentionPolicy.createMany({
    data: added.map((rule) => ({ id: v7(), tenantId, createdBy: userId, ...rule })),
  });
}

/** Serialises changes of policies against each other and against their use. */
export async function lockPolicies(transaction: TenantTransaction): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('retention ' || current_tenant_id()::text, 0))`;
}

/** The effective policies of a tenant. */
export interface PolicyState {
  /** Of the tenant. */
  readonly rules: readonly RetentionRule[];
  /** Including the defaults. */
  readonly effective: readonly RetentionRule[];
  /** Of the policies and active legal holds, hex. */
  readonly hash: string;
  /** True if a dry run with exactly this hash was approved. Tenants without policies need none: only defaults apply. */
  readonly approved: boolean;
}

/** The rules that hold where a tenant has these: its own, and housekeeping of the kinds that it does not name. */
export function effectiveRules(rules: readonly RetentionRule[]): RetentionRule[] {
  const named = new Set(rules.map(({ resource }) => resource));
  const housekeeping = Object.entries(HOUSEKEEPING_DAYS).flatMap(([kind, ageDays]): RetentionRule[] => {
    const resource: Retained | undefined = RETAINED.find((name) => name === kind);
    if (resource === undefined || named.has(resource)) return [];
    return [{ id: 'default', projectId: null, resource, dataClass: null, ageDays, action: 'delete' }];
  });
  return [...rules, ...housekeeping];
}

/** Policies, their hash, and whether they may be acted upon. */
export async function readPolicyState(transaction: TenantTransaction): Promise<PolicyState> {
  const rules = await readPolicies(transaction);
  const hash = policyHash(rules, await activeLegalHolds(transaction));
  const approvals = await transaction.retentionRun.count({
    where: { mode: 'dry_run', state: 'completed', policyHash: Buffer.from(hash, 'hex'), approvedAt: { not: null } },
  });
  return { rules, effective: effectiveRules(rules), hash, approved: rules.length === 0 || approvals > 0 };
}
