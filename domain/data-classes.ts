/** Sensitivity of a row, lowest first. Capture sets it by what it finds; `public` is only set by users. */
export const DATA_CLASSES = ['public', 'internal', 'sensitive', 'confidential', 'restricted'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

/** Returns the higher of two classes. */
export function higherClass(one: DataClass, other: DataClass): DataClass {
  return DATA_CLASSES.indexOf(one) >= DATA_CLASSES.indexOf(other) ? one : other;
}

/** Returns true if a class is not above a limit. */
export function isWithin(dataClass: DataClass, limit: DataClass): boolean {
  return higherClass(dataClass, limit) === limit;
}

/** What may be done with captured rows of a class. Texts sent to outside models have a limit of their own: `RECOLLECT_MODEL_MAX_CLASS`. */
export interface ClassRule {
  /** Summaries and learnings, which belong to the tenant, are made from the rows. */
  readonly isSummarised: boolean;
  /** Agents are served the rows in context. */
  readonly isServedAsContext: boolean;
  /** Exports of other users' rows contain them without the option `include_restricted`. */
  readonly isExported: boolean;
}

const USUAL: ClassRule = { isSummarised: true, isServedAsContext: true, isExported: true };

/** The one table of rules (docs/data-classes.md). What is `confidential` lost its secret before it was stored: the remaining text is shared as usual. */
export const CLASS_RULES: Readonly<Record<DataClass, ClassRule>> = {
  public: USUAL,
  internal: USUAL,
  sensitive: USUAL,
  confidential: USUAL,
  restricted: { isSummarised: false, isServedAsContext: false, isExported: false },
};

/** Classes that a setting can allow for outside models: rows that are not summarised are sent nowhere. */
export const OUTSIDE_CLASSES = [
  'public',
  'internal',
  'sensitive',
  'confidential',
] as const satisfies readonly DataClass[];

/** Returns the classes for which a rule does not allow something. */
export function classesWithout(right: keyof ClassRule): DataClass[] {
  return DATA_CLASSES.filter((dataClass) => !CLASS_RULES[dataClass][right]);
}

/** Classes of rows that nothing shared is made from: no summary, no learning, no name in the graph. */
export const UNSUMMARISED: readonly DataClass[] = classesWithout('isSummarised');
