import { DATA_CLASSES, OF_CLASS } from './policy.ts';
import type { DataClass, RetentionAction, RetentionRule, Retained } from './policy.ts';

/** What a rule is asked about. */
export interface RetainedRow {
  readonly resource: Retained;
  readonly projectId: string | null;
  readonly dataClass: DataClass | null;
}

function matches(rule: RetentionRule, row: RetainedRow): boolean {
  return (
    rule.resource === row.resource &&
    (rule.projectId === null || rule.projectId === row.projectId) &&
    (rule.dataClass === null || rule.dataClass === row.dataClass)
  );
}

/** A project counts more than a data class: project and class 3, project 2, class 1, neither 0. */
function specificity(rule: RetentionRule): number {
  return (rule.projectId === null ? 0 : 2) + (rule.dataClass === null ? 0 : 1);
}

/**
 * The one rule that holds for a row: of those that match, the most specific, in the order project and class, project, class, neither. Between equals, which
 * the table does not allow, the longer age wins, then keeping. Null where none matches: then the row is kept.
 */
export function decide(rules: readonly RetentionRule[], row: RetainedRow): RetentionRule | null {
  const order = (a: RetentionRule, b: RetentionRule): number =>
    specificity(b) - specificity(a) ||
    b.ageDays - a.ageDays ||
    Number(b.action === 'keep') - Number(a.action === 'keep') ||
    (a.id < b.id ? -1 : 1);
  return rules.filter((rule) => matches(rule, row)).toSorted(order)[0] ?? null;
}

/** Rows of a kind that share their rule: a project that a rule names, or (null) every other one, and a data class where the kind has any. */
export interface RetentionCell {
  readonly resource: Retained;
  readonly projectId: string | null;
  readonly dataClass: DataClass | null;
  readonly rule: string;
  readonly action: Exclude<RetentionAction, 'keep'>;
  readonly ageDays: number;
}

/** Every kind of row that a rule does something with, so that the database need not know the order of rules: a row lies in one cell at most. */
export function cellsOf(rules: readonly RetentionRule[], resource: Retained): RetentionCell[] {
  const own = rules.filter((rule) => rule.resource === resource);
  const classes = OF_CLASS.has(resource) ? DATA_CLASSES : [null];
  return [null, ...namedProjects(own)].flatMap((projectId) =>
    classes.flatMap((dataClass) => {
      const rule = decide(own, { resource, projectId, dataClass });
      if (rule === null || rule.action === 'keep') return [];
      return [{ resource, projectId, dataClass, rule: rule.id, action: rule.action, ageDays: rule.ageDays }];
    }),
  );
}

/** Projects that a rule names. */
export function namedProjects(rules: readonly RetentionRule[]): string[] {
  return [...new Set(rules.flatMap(({ projectId }) => (projectId === null ? [] : [projectId])))].toSorted();
}
