import type { ComponentChildren, JSX } from 'preact';
import type { AskError } from '../link/ask.ts';
import type { Loaded } from '../link/loadable.ts';
import type { Rows } from '../link/merge.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Copy } from './copy.tsx';
import { RelativeTime } from './relative-time.tsx';

/** Grey lines in the place of content that loads. */
export function Skeleton({ lines = 6 }: { readonly lines?: number }): JSX.Element {
  const t = inLanguage(common);
  return (
    <div class="skeleton" role="status" aria-label={t.loading}>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** What a page without content shows: why, and the command or action that fills it. */
export function Empty(props: {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** A command to copy. */
  readonly command?: string;
}): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.children}
      {props.command === undefined ? null : (
        <p>
          <code>{props.command}</code> <Copy text={props.command} />
        </p>
      )}
    </div>
  );
}

/** What a page shows while no agent has sent anything that it would show: the command that connects one. */
export function ConnectAgent(props: { readonly title: string; readonly children?: ComponentChildren }): JSX.Element {
  return <Empty {...props} command="recollect install claude-code" />;
}

/** What a list shows when its filters leave nothing. */
export function NoMatch(props: { readonly title: string; readonly onClear: () => void }): JSX.Element {
  const t = inLanguage(common);
  return (
    <Empty title={props.title}>
      <button type="button" onClick={props.onClear}>
        {t.clear}
      </button>
    </Empty>
  );
}

/** The button below rows that reads the next page; nothing after the last one. */
export function More({
  of,
}: {
  readonly of: Loaded<Rows<unknown>> & { readonly more: () => void };
}): JSX.Element | null {
  const t = inLanguage(common);
  return (of.data?.next ?? null) === null ? null : (
    <button type="button" onClick={of.more}>
      {t.more}
    </button>
  );
}

const SCOPE = /\bscope (\w+)/;

/** An error with what a user can do: try again, or give the request id to an operator. */
export function ErrorNote(props: { readonly error: AskError; readonly onRetry?: () => void }): JSX.Element {
  const { error, onRetry } = props;
  const t = inLanguage(common);
  const scope = error.status === 403 ? SCOPE.exec(error.message)?.[1] : undefined;
  return (
    <div class="note bad" role="alert">
      <p>
        {error.status === 0 ? t.unreachable : error.message} <code>{error.code}</code>
      </p>
      {scope === undefined ? null : <p>{t.needsScope(scope)}</p>}
      {error.fields.length === 0 ? null : (
        <ul>
          {error.fields.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      <p class="line">
        {error.requestId === null ? null : (
          <>
            {t.requestId} <code>{error.requestId}</code> <Copy text={error.requestId} />
          </>
        )}
        {onRetry === undefined ? null : (
          <button type="button" onClick={onRetry}>
            {t.retry}
          </button>
        )}
      </p>
    </div>
  );
}

/** The states of what a page loads: a skeleton after 150 ms, an error beside old content with its age, or the content. */
export function LoadedView<Value>(props: {
  readonly of: Loaded<Value> & { readonly reload: () => void };
  readonly children: (data: Value) => ComponentChildren;
}): JSX.Element {
  const { data, error, isSlow, loadedAt, reload } = props.of;
  const t = inLanguage(common);
  return (
    <>
      {error === null ? null : <ErrorNote error={error} onRetry={reload} />}
      {error !== null && loadedAt !== null ? (
        <p class="age">
          <RelativeTime at={loadedAt} wrap={t.withAge} />
        </p>
      ) : null}
      {data === undefined ? isSlow ? <Skeleton /> : null : props.children(data)}
    </>
  );
}
