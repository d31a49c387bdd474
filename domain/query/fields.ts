import { MEMORY_TYPES } from '../ports/vector-index.ts';
import type { MemoryType } from '../ports/vector-index.ts';
import { VALUE_FILTERS } from '../search-names.ts';
import type { ValueFilters } from '../search-names.ts';
import { boundsOf, timeRangeOf } from './time.ts';

/** Filters from the `field:value` words of a query. */
export interface FieldFilters {
  readonly types: readonly MemoryType[];
  readonly values: ValueFilters;
  readonly project: string | null;
  /** All are required. */
  readonly tags: readonly string[];
  /** Names, paths, or ends of them. */
  readonly files: readonly string[];
  readonly since: Date | null;
  /** Exclusive. */
  readonly until: Date | null;
}

export const NO_FIELDS: FieldFilters = {
  types: [],
  values: {},
  project: null,
  tags: [],
  files: [],
  since: null,
  until: null,
};

const FIELD_NAMES = ['type', ...VALUE_FILTERS, 'project', 'tag', 'tags', 'file', 'since', 'until', 'before', 'after'];
const FIELD = new RegExp(
  String.raw`(?<![^\s(（])(?<field>${FIELD_NAMES.join('|')})[:：](?:"(?<quoted>[^"\n]{1,200})"|(?<plain>[^\s"]{1,200}))`,
  'giu',
);
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$/u;
const MAX_VALUES = 16;
const MAX_TAG = 64;

const valuesOf = (value: string): string[] =>
  value
    .split(/[,，]/u)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Parses a date, an instant, or an expression of time with dashes or underscores for blanks: `since:last-week`. */
function timeOf(
  field: 'since' | 'until' | 'before' | 'after',
  value: string,
  now: Date,
): Pick<FieldFilters, 'since' | 'until'> | null {
  if (INSTANT.test(value)) {
    const at = new Date(value);
    if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1) return null;
    const next = new Date(at.getTime() + 1);
    return boundsOf(field, { from: at, to: field === 'before' ? at : next });
  }
  const words = /\d{4}-\d/u.test(value) ? value : value.replaceAll(/[-_]/gu, ' ');
  // After a preposition of time, a month or a year alone is valid.
  const range = timeRangeOf(`in ${words}`, now) ?? timeRangeOf(words, now);
  if (range === null || range.since === null || range.until === null) return null;
  const expression = range.words.join(' ').replace(/^in /iu, '');
  if (expression.length !== words.trim().length) return null;
  return boundsOf(field, { from: range.since, to: range.until });
}

/** Returns the filters with one more field; null if the value is invalid for it. */
function withField(filters: FieldFilters, field: string, value: string, now: Date): FieldFilters | null {
  const values = valuesOf(value);
  if (values.length === 0) return null;
  switch (field) {
    case 'type': {
      const types = values.map((name) => MEMORY_TYPES.find((type) => type === name.toLowerCase().replace(/s$/u, '')));
      const known = types.filter((type) => type !== undefined);
      if (known.length < types.length) return null;
      return { ...filters, types: [...new Set([...filters.types, ...known])] };
    }
    case 'project':
      return { ...filters, project: value };
    case 'tag':
    case 'tags':
      if (values.some((tag) => tag.length > MAX_TAG)) return null;
      return { ...filters, tags: [...new Set([...filters.tags, ...values])].slice(0, MAX_VALUES) };
    case 'file':
      return { ...filters, files: [...new Set([...filters.files, ...values])].slice(0, MAX_VALUES) };
    case 'since':
    case 'until':
    case 'before':
    case 'after': {
      const bounds = timeOf(field, value, now);
      if (bounds === null) return null;
      return { ...filters, since: bounds.since ?? filters.since, until: bounds.until ?? filters.until };
    }
    default:
      return { ...filters, values: { ...filters.values, [field]: value } };
  }
}

/** Removes `field:value` from a query. Unknown fields and invalid values remain words. */
export function fieldsOf(text: string, now: Date): { readonly rest: string; readonly filters: FieldFilters } {
  let filters = NO_FIELDS;
  const rest = text.replaceAll(FIELD, (match: string, ...parts: unknown[]) => {
    const groups: unknown = parts.at(-1);
    const named = isGroups(groups) ? groups : {};
    const value = (named['quoted'] ?? named['plain'] ?? '').trim();
    const next = withField(filters, (named['field'] ?? '').toLowerCase(), value, now);
    if (next === null) return match;
    filters = next;
    return ' ';
  });
  return { rest, filters };
}

/** A replacer's last argument is the named groups, if the pattern has any. */
function isGroups(value: unknown): value is Record<string, string | undefined> {
  return typeof value === 'object' && value !== null;
}
