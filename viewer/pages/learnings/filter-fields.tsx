import type { JSX } from 'preact';
import { Field, FilterField, Select } from '../../parts/fields.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { CATEGORIES, FILTERS, STATES } from './filters.ts';
import { texts } from './texts.ts';

const REPLACE = { replace: true };

/** The filters of the list. */
export function FilterFields(): JSX.Element {
  const t = inLanguage(texts);
  const [filters, change] = useQuery(FILTERS);
  return (
    <search class="filters">
      <FilterField label={t.words} maxLength={500} value={filters.q} onValue={(q) => change({ q }, REPLACE)} />
      <Select
        label={t.state}
        any={t.review}
        value={filters.state}
        options={STATES.map((value) => ({ value, text: t.states[value] }))}
        onValue={(state) => change({ state })}
      />
      <FilterField label={t.project} value={filters.project} onValue={(project) => change({ project }, REPLACE)} />
      <Select
        label={t.category}
        value={filters.category}
        options={CATEGORIES.map((value) => ({ value, text: t.categories[value] }))}
        onValue={(category) => change({ category })}
      />
      <FilterField label={t.tag} maxLength={64} value={filters.tag} onValue={(tag) => change({ tag }, REPLACE)} />
      <Select
        label={t.visibility}
        value={filters.visibility}
        options={(['shared', 'private'] as const).map((value) => ({ value, text: t.visibilities[value] }))}
        onValue={(visibility) => change({ visibility })}
      />
      <Field
        label={t.asOf}
        type="date"
        value={filters.as_of ?? ''}
        onValue={(day) => change({ as_of: day || undefined }, REPLACE)}
      />
      <Select
        label={t.sort}
        any={t.confidence}
        value={filters.sort}
        options={(['recency', 'popularity'] as const).map((value) => ({ value, text: t.sorts[value] }))}
        onValue={(sort) => change({ sort })}
      />
    </search>
  );
}
