import type { JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useState } from 'preact/hooks';
import type { Suggestions } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { Text } from '../../parts/quoted.tsx';
import { inLanguage } from '../../texts/language.ts';
import { MOST_QUERY, completed, prefixOf } from './query.ts';
import { texts } from './texts.ts';

type Suggestion = Suggestions['data'][number];

const PAUSE_MS = 150;
const MOST_SUGGESTED = 8;

/** Returns suggestions for what was typed, after a pause; none while there is nothing to complete. */
function useSuggestions(typed: string | null, project: string | undefined): readonly Suggestion[] {
  const [found, setFound] = useState<readonly Suggestion[]>([]);
  const prefix = typed === null ? null : prefixOf(typed);
  useEffect(() => {
    setFound([]);
    if (prefix === null) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      ask('GET /search/suggest', { query: { q: prefix, project, limit: MOST_SUGGESTED } }, abort.signal).then(
        ({ data }) => setFound(data.filter(({ text }) => text !== prefix)),
        // Suggestions are a help: without them the search works.
        () => undefined,
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [prefix, project]);
  return found;
}

/** The field of the query. Enter searches, or uses the suggestion that the arrows selected. */
export function QueryField(props: {
  readonly query: string;
  readonly project: string | undefined;
  readonly onQuery: (query: string) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const id = useId();
  const [typed, setTyped] = useState(props.query);
  const [isOpen, setIsOpen] = useState(false);
  const [selected, setSelected] = useState(-1);
  const suggestions = useSuggestions(isOpen ? typed : null, props.project);
  const shown = isOpen ? suggestions : [];
  // The address changed, such as by a facet or the back button. Before the next key, which it would remove.
  useLayoutEffect(() => setTyped(props.query), [props.query]);
  const search = (query: string): void => {
    setTyped(query);
    setIsOpen(false);
    setSelected(-1);
    props.onQuery(query.trim());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && shown.length > 0) {
      event.preventDefault();
      // From the field (-1) through the suggestions and back.
      setSelected(((selected + 1 + step + shown.length + 1) % (shown.length + 1)) - 1);
    } else if (event.key === 'Escape') setIsOpen(false);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const suggestion = shown[selected];
    search(suggestion === undefined ? typed : completed(typed, suggestion));
  };
  return (
    <form class="query" onSubmit={submit}>
      <label for={id}>{t.query}</label>
      <div class="line">
        <input
          id={id}
          type="text"
          role="combobox"
          autocomplete="off"
          maxLength={MOST_QUERY}
          aria-expanded={shown.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={selected === -1 ? undefined : `${id}-${selected}`}
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setIsOpen(true);
            setSelected(-1);
          }}
          onBlur={() => setIsOpen(false)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="primary">
          {t.search}
        </button>
      </div>
      <div id={`${id}-list`} role="listbox" aria-label={t.suggestions} class="suggestions" hidden={shown.length === 0}>
        {shown.map((suggestion, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field above has the keys and the focus
          <div
            key={`${suggestion.kind} ${suggestion.text}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === selected}
            // Before the field loses the focus.
            onMouseDown={(event) => {
              event.preventDefault();
              search(completed(typed, suggestion));
            }}
          >
            <Text text={suggestion.text} />
            <span class="muted">{t.kinds[suggestion.kind]}</span>
          </div>
        ))}
      </div>
    </form>
  );
}
