import type { JSX } from 'preact';
import type { SearchAnswer } from '../../contract/index.ts';
import { Text } from '../../parts/quoted.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { SEARCH, TYPES, toggled } from './query.ts';
import type { Search } from './query.ts';
import { texts } from './texts.ts';

type Name = keyof SearchAnswer['facets'];

const NAMES: readonly Name[] = ['type', 'tool', 'project', 'tag'];
const MOST_VALUES = 8;
/** Facets beside results, if the window is wide enough for both. */
const WIDE = '(min-width: 48rem)';

/** Returns the values of a facet that the address selects. */
function selectedOf(name: Name, search: Search): readonly string[] {
  if (name === 'type') return search.type;
  if (name === 'tag') return search.tags?.split(',') ?? [];
  const value = search[name];
  return value === undefined ? [] : [value];
}

/** Numbers of the best results by type, tool, project and tag; a press narrows the search, or removes the filter again. */
export function Facets({ of }: { readonly of: SearchAnswer['facets'] }): JSX.Element {
  const t = inLanguage(texts);
  const [search, change] = useQuery(SEARCH);
  const toggle = (name: Name, value: string): void => {
    if (name === 'type') {
      const isSelected = search.type.some((type) => type === value);
      const type = TYPES.filter((each) => (each === value ? !isSelected : search.type.includes(each)));
      change({ type, offset: 0 });
    } else if (name === 'tag') change({ tags: toggled(search.tags, value), offset: 0 });
    else change({ [name]: search[name] === value ? undefined : value, offset: 0 });
  };
  const groups = NAMES.map((name) => {
    const selected = selectedOf(name, search);
    const found = Object.entries(of[name]).toSorted(([, a], [, b]) => b - a);
    const missing = selected.filter((value) => !(value in of[name])).map((value) => [value, 0] as const);
    return { name, selected, values: [...missing, ...found].slice(0, MOST_VALUES) };
  }).filter(({ values }) => values.length > 0);
  if (groups.length === 0) return <></>;
  return (
    <details class="facets" open={matchMedia(WIDE).matches}>
      <summary>{t.narrow}</summary>
      {groups.map(({ name, selected, values }) => (
        <div key={name} class="line facet" role="group" aria-label={t.facets[name]}>
          <span class="muted">{t.facets[name]}</span>
          {values.map(([value, count]) => (
            <button
              key={value}
              type="button"
              aria-pressed={selected.includes(value)}
              onClick={() => toggle(name, value)}
            >
              {name === 'type' ? t.types[TYPES.find((type) => type === value) ?? 'observation'] : <Text text={value} />}
              {count === 0 ? null : <span class="muted"> {count}</span>}
            </button>
          ))}
        </div>
      ))}
    </details>
  );
}
