import type { Restore, RetentionCount, RetentionPolicy } from '../../contract/index.ts';
import { on } from '../../link/loadable.ts';
import { choiceParameter, flagParameter, textParameter } from '../../router/query.ts';

export const TABS = ['backups', 'retention', 'legal-holds', 'checks', 'archives', 'requests', 'transfers'] as const;
export type TabName = (typeof TABS)[number];

/** The tab and what it shows, in the address. */
export const FILTERS = {
  tab: choiceParameter(TABS),
  run: textParameter(),
  released: flagParameter(),
  q: textParameter(),
  open: choiceParameter(['true', 'false']),
} as const;

/** Returns the tabs that the user may see, in their order. */
export function offeredTabs(user: { readonly isOperator: boolean; readonly isAdmin: boolean }): readonly TabName[] {
  return TABS.filter((tab) =>
    tab === 'backups'
      ? user.isOperator
      : tab === 'retention' || tab === 'legal-holds' || tab === 'checks'
        ? user.isAdmin
        : true,
  );
}

/** Events that report the end of a job of this page. */
export const endsJob = on('task.completed');

/** What the comparison of a drill or restore found. */
export interface Comparison {
  /** Compared part, with its number and the number of differences in it. */
  readonly parts: readonly {
    readonly part: 'tables' | 'rows' | 'files' | 'foreignKeys' | 'queries' | 'vectors' | 'erasures';
    readonly compared: number;
    readonly different: number;
  }[];
  readonly differentTables: readonly string[];
  readonly isEqual: boolean;
}

/** Returns the comparison of a restored database with its backup; null before there is one. */
export function comparisonOf({ result }: Pick<Restore, 'result'>): Comparison | null {
  if (result === null || result.tables === undefined) return null;
  const { tables, foreign_keys: keys, queries, vectors, files, journal } = result;
  const faults = Object.values(journal?.faults ?? {}).reduce((sum, count) => sum + count, 0);
  const parts: Comparison['parts'][number][] = [
    { part: 'tables', compared: tables.tables, different: tables.different.length },
    { part: 'rows', compared: tables.rows, different: 0 },
    { part: 'files', compared: tables.files + (files?.restored ?? 0), different: files?.missing ?? 0 },
  ];
  if (keys !== undefined) parts.push({ part: 'foreignKeys', compared: keys.all, different: keys.invalid });
  if (queries !== undefined) parts.push({ part: 'queries', compared: queries.asked, different: queries.different });
  if (vectors !== undefined) parts.push({ part: 'vectors', compared: vectors.objects, different: vectors.unproved });
  if (journal !== undefined) parts.push({ part: 'erasures', compared: journal.erasures, different: faults });
  return { parts, differentTables: tables.different, isEqual: parts.every(({ different }) => different === 0) };
}

/** Number of rows to which one action is applied. */
export interface Effect {
  readonly action: string;
  readonly resource: RetentionCount['resource'];
  readonly rows: number;
}

/** Returns the rows of a report by action and kind, the most rows first. */
export function effectsOf(counts: readonly RetentionCount[]): readonly Effect[] {
  const sums = new Map<string, Effect>();
  for (const { action, resource, rows } of counts) {
    const name = `${action} ${resource}`;
    sums.set(name, { action, resource, rows: rows + (sums.get(name)?.rows ?? 0) });
  }
  return [...sums.values()].toSorted((a, b) => b.rows - a.rows);
}

/** Actions of each kind, as the api accepts them. */
export const ACTIONS: Readonly<Record<RetentionPolicy['resource'], readonly RetentionPolicy['action'][]>> = {
  session: ['keep', 'archive', 'delete'],
  observation: ['keep', 'decay', 'delete'],
  prompt: ['keep', 'delete'],
  usage: ['keep', 'delete'],
  summary: ['keep', 'delete'],
  learning: ['keep', 'decay', 'delete'],
  context: ['keep', 'delete'],
  import: ['keep', 'delete'],
  alert: ['keep', 'delete'],
  tombstone: ['keep', 'delete'],
  excluded_session: ['keep', 'delete'],
};

/** Kinds whose policies may be for one project. */
export const OF_PROJECTS: ReadonlySet<RetentionPolicy['resource']> = new Set([
  'session',
  'observation',
  'prompt',
  'summary',
  'learning',
  'context',
]);

/** Kinds whose policies may be for one class of data. */
export const OF_CLASSES: ReadonlySet<RetentionPolicy['resource']> = new Set(['observation', 'prompt']);

/** A policy without the id that the server gives it. */
export type PolicyDraft = Omit<RetentionPolicy, 'id'>;

/** Returns what a policy applies to; two policies of one subject are not accepted. */
export function subjectOf({ resource, project, data_class: dataClass }: PolicyDraft): string {
  return `${resource} ${project ?? ''} ${dataClass ?? ''}`;
}

/** Returns the policies with one more, which replaces that of the same subject. */
export function withPolicy(policies: readonly PolicyDraft[], policy: PolicyDraft): readonly PolicyDraft[] {
  return [...policies.filter((other) => subjectOf(other) !== subjectOf(policy)), policy];
}
