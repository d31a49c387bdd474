import { DATA_CLASSES } from '../data-classes.ts';
import type { DataClass } from '../data-classes.ts';
import { OF_CLASS } from './policy.ts';
import type { RetentionAction, RetentionRule, Retained } from './policy.ts';

/** The attributes of a row that rules match. */
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

/** A project outweighs a data class: project and class 3, project 2, class 1, neither 0. */
function specificity(rule: RetentionRule): number {
  return (rule.projectId === null ? 0 : 2) + (rule.dataClass === null ? 0 : 1);
}

/**
 * Returns the rule of a row: the most specific match, in the order project and class, project, class, neither. Between equals, which the
 * table does not allow, the longer age wins, then `keep`. Null without a match: the row is retained.
 */
export function decide(rules: readonly RetentionRule[], row: RetainedRow): RetentionRule | null {
  const order = (a: RetentionRule, b: RetentionRule): number =>
    specificity(b) - specificity(a) ||
    b.ageDays - a.ageDays ||
    Number(b.action === 'keep') - Number(a.action === 'keep') ||
    (a.id < b.id ? -1 : 1);
  return rules.filter((rule) => matches(rule, row)).toSorted(order)[0] ?? null;
}

/** Rows of a kind with one rule: a project that a rule names, or (null) any other, and a data class if the kind has any. */
export interface RetentionCell {
  readonly resource: Retained;
  readonly projectId: string | null;
  readonly dataClass: DataClass | null;
  readonly rule: string;
  readonly action: Exclude<RetentionAction, 'keep'>;
  readonly ageDays: number;
}

/** Returns the cells of a kind with a deleting rule, so that the database need not know rule precedence: a row is in one cell at most. */
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

/** Returns the projects that rules name. */
export function namedProjects(rules: readonly RetentionRule[]): string[] {
  return [...new Set(rules.flatMap(({ projectId }) => (projectId === null ? [] : [projectId])))].toSorted();
}
