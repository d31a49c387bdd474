import type { JSX } from 'preact';
import type { Observation } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { durationText } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { isPrompt } from './view.ts';
import type { SessionRow } from './view.ts';

/** Longer messages are folded. */
const FOLDED_CHARACTERS = 1_200;

/** The complete text of a tool call. */
function FullText({ row }: { readonly row: Observation }): JSX.Element {
  const memory = useResource('GET /memories/{id}', { path: { id: row.id } });
  return <LoadedView of={memory}>{({ content }) => <Quoted text={content} />}</LoadedView>;
}

/** Returns the title of a tool call without the name of the tool, which is shown before it. */
function titleOf({ title, tool }: Observation): string {
  const start = `${tool ?? ''}: `;
  return title.startsWith(start) ? title.slice(start.length) : title;
}

function Files({ row }: { readonly row: Observation }): JSX.Element | null {
  const t = inLanguage(texts);
  const changed = new Set(row.files_modified);
  const files = [...changed, ...row.files_read.filter((file) => !changed.has(file))];
  return files.length === 0 ? null : (
    <ul class="files" aria-label={t.files}>
      {files.map((file) => (
        <li key={file}>
          <code>
            <Text text={file} />
          </code>
          {changed.has(file) ? <span class="warn"> {t.changed}</span> : null}
        </li>
      ))}
    </ul>
  );
}

/** A message, or a tool call with its files and result. */
export function Row(props: {
  readonly row: SessionRow;
  readonly isOpen: boolean;
  /** All texts, for a print. */
  readonly isWhole: boolean;
  readonly mayForget: boolean;
  readonly onToggle: () => void;
  readonly onTrace: () => void;
  readonly onForget: () => void;
}): JSX.Element {
  const { row, isOpen, isWhole } = props;
  const t = inLanguage(texts);
  const isMessage = isPrompt(row);
  const removed = Object.entries(row.redactions ?? {});
  const isLong = isMessage && row.content.length > FOLDED_CHARACTERS;
  const text = isMessage
    ? isLong && !isOpen && !isWhole
      ? `${row.content.slice(0, FOLDED_CHARACTERS)} …`
      : row.content
    : ((isWhole ? row.content : undefined) ?? row.preview);
  return (
    <article class={`captured ${isMessage ? row.role : row.type}`}>
      <header class="line">
        <span class="badge">{isMessage ? t.roles[row.role] : <Text text={row.tool ?? row.event} />}</span>
        {row.agent === null ? null : (
          <span class="badge">
            {t.agent} <Text text={row.agent.type ?? row.agent.id} />
          </span>
        )}
        {isMessage ? null : (
          <strong>
            <Text text={titleOf(row)} />
          </strong>
        )}
        <span class="details">
          #{row.seq} · <RelativeTime at={row.occurred_at} /> · {t.tokens(row.tokens)}
          {isMessage || row.duration_ms === null ? null : ` · ${durationText(row.duration_ms)}`}
        </span>
        {isMessage || row.type === 'tool_result' ? null : (
          <span class={row.type === 'error' ? 'bad' : 'warn'}>{t.types[row.type]}</span>
        )}
        {removed.length === 0 ? null : (
          <span class="warn">{t.redacted(removed.map(([kind, count]) => `${kind} ${count}`).join(', '))}</span>
        )}
        <span class="row-actions">
          {isMessage && !isLong ? null : (
            <button type="button" class="quiet" aria-expanded={isOpen} onClick={props.onToggle}>
              {isOpen ? t.less : t.wholeText}
            </button>
          )}
          <button type="button" class="quiet" onClick={props.onTrace} aria-label={t.traceOf(row.seq)}>
            {t.trace}
          </button>
          {props.mayForget ? (
            <button type="button" class="quiet" onClick={props.onForget} aria-label={t.forgetOf(row.seq)}>
              {t.forget}
            </button>
          ) : null}
        </span>
      </header>
      {!isMessage && isOpen && !isWhole ? <FullText row={row} /> : text === '' ? null : <Quoted text={text} />}
      {isMessage ? null : <Files row={row} />}
    </article>
  );
}
