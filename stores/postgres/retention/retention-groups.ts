import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { columnOf, rowOf, tenantColumn } from '../connection/rows.ts';
import { cellsOf, namedProjects } from '../../../domain/retention/decide.ts';
import type { RetentionRule, Retained } from '../../../domain/retention/policy.ts';

const DAY_MS = 86_400_000;

/** A tenant's run, with the rules that it acts on. */
export interface ActingRun {
  readonly tenantId: TenantId;
  readonly runId: string;
  /** Ages are counted back from here. */
  readonly referenceTime: Date;
  readonly rules: readonly RetentionRule[];
}

/** A cell as statements take it. */
interface BoundCell {
  readonly tenant: string;
  readonly run: string;
  readonly rule: string;
  readonly action: string;
  readonly project: string | null;
  readonly class: string;
  /** RFC 3339: older rows expire. */
  readonly before: string;
  /** The smallest id of that moment. */
  readonly before_id: string;
}

/** The smallest UUIDv7 of a moment. */
export function idFloor(moment: Date): string {
  const hex = moment.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** The cells of several runs for one kind, and the projects that they name. */
export function bindCells(
  runs: readonly ActingRun[],
  resource: Retained,
): { readonly cells: readonly BoundCell[]; readonly named: readonly string[] } {
  const cells = runs.flatMap(({ tenantId, runId, referenceTime, rules }) =>
    cellsOf(rules, resource).map((cell): BoundCell => {
      const before = new Date(referenceTime.getTime() - cell.ageDays * DAY_MS);
      return {
        tenant: tenantId,
        run: runId,
        rule: cell.rule,
        action: cell.action,
        project: cell.projectId,
        class: cell.dataClass ?? '',
        before: before.toISOString(),
        before_id: idFloor(before),
      };
    }),
  );
  const named = namedProjects(runs.flatMap(({ rules }) => rules.filter((rule) => rule.resource === resource)));
  return { cells, named };
}

const groupRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  mode: z.enum(['dry_run', 'run']),
  policy_hash: z.string(),
  reference_time: z.date(),
  cursor: z.object({ stage: z.string(), after: z.string() }).nullable(),
});

/** A run of a group that runs, as the maintenance role sees it. */
export type GroupedRun = z.output<typeof groupRow>;

/** The runs of a group that are not ended. */
export async function runsOfGroup(maintenance: pg.Pool, groupId: string): Promise<GroupedRun[]> {
  const { rows } = await maintenance.query(
    `SELECT id, tenant_id, mode, encode(policy_hash, 'hex') AS policy_hash, reference_time, cursor FROM retention_runs WHERE group_id = $1 AND state = 'running' ORDER BY id`,
    [groupId],
  );
  return z.array(groupRow).parse(rows);
}

/** Records the position of a group's runs of a mode. */
export async function saveCursor(
  maintenance: pg.Pool,
  groupId: string,
  mode: GroupedRun['mode'],
  cursor: { readonly stage: string; readonly after: string },
): Promise<void> {
  await maintenance.query(
    "UPDATE retention_runs SET cursor = $3 WHERE group_id = $1 AND mode = $2 AND state = 'running'",
    [groupId, mode, JSON.stringify(cursor)],
  );
}

/** Records in a run that something remained, and the type of the failure. */
export async function noteLeft(maintenance: pg.Pool, runId: string, error: string): Promise<void> {
  await maintenance.query("UPDATE retention_runs SET error = $2 WHERE id = $1 AND state = 'running'", [runId, error]);
}

/** Tenants that have policies of their own. */
export async function tenantsWithPolicies(maintenance: pg.Pool): Promise<TenantId[]> {
  const { rows } = await maintenance.query('SELECT DISTINCT tenant_id FROM retention_policies ORDER BY 1');
  return columnOf(rows, 'tenant_id', tenantColumn);
}

/** Returns scheduled dry runs of a group, or of policies and legal holds of a tenant, that are not approved. */
export async function unseenDryRuns(
  maintenance: pg.Pool,
  of: { readonly groupId: string } | { readonly tenantId: string; readonly hash: string },
): Promise<{ readonly id: string; readonly tenantId: TenantId }[]> {
  const [where, values] =
    'groupId' in of
      ? ['group_id = $1', [of.groupId]]
      : ["tenant_id = $1 AND policy_hash = decode($2, 'hex')", [of.tenantId, of.hash]];
  const { rows } = await maintenance.query(
    `SELECT id, tenant_id FROM retention_runs WHERE ${where} AND mode = 'dry_run' AND user_id IS NULL AND approved_at IS NULL AND state = 'completed' ORDER BY id`,
    values,
  );
  return z.array(rowOf({ id: z.string(), tenant_id: tenantColumn })).parse(rows);
}

/** Creates an alert for a tenant's admins, once a day each, about a dry run that awaits approval. */
export async function alertDryRun(
  maintenance: pg.Pool,
  run: { readonly id: string; readonly tenantId: TenantId },
): Promise<void> {
  await maintenance.query(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
     SELECT uuidv7(), u.tenant_id, u.id, 'retention_dry_run', (now() AT TIME ZONE 'UTC')::date,
            jsonb_build_object('run_id', $2::uuid, 'rows', (SELECT coalesce(sum(c.rows), 0) FROM retention_counts c WHERE c.run_id = $2),
                               'bytes', (SELECT coalesce(sum(c.bytes), 0) FROM retention_counts c WHERE c.run_id = $2))
       FROM users u WHERE u.tenant_id = $1 AND u.role = 'admin' AND u.active
     ON CONFLICT DO NOTHING`,
    [run.tenantId, run.id],
  );
}

/** Returns archives of these tenants whose session was forgotten: their interrupted removal is repeated. */
export async function archivesOfForgotten(
  maintenance: pg.Pool,
  tenants: readonly string[],
): Promise<{ readonly tenantId: TenantId; readonly sessionId: string }[]> {
  const { rows } = await maintenance.query(
    `SELECT a.tenant_id, a.session_id FROM archives a JOIN sessions s ON s.id = a.session_id WHERE s.status = 'deleted' AND a.tenant_id = ANY ($1) ORDER BY a.id LIMIT 500`,
    [tenants],
  );
  return z.array(rowOf({ tenant_id: tenantColumn, session_id: z.string() })).parse(rows);
}
