import type { TenantId } from '../../../domain/ids.ts';
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
export interface BoundCell {
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
