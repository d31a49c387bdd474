import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ServedContext, ServedContextDetail } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { may, me } from '../../link/me.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { addressOfLearning, addressOfSession } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { ConnectAgent, LoadedView, More } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { MemoryText } from './memory.tsx';
import { useServed } from './read-served.ts';
import type { ServedFilters } from './read-served.ts';
import { texts } from './texts.ts';
import { wasUsed } from './view.ts';

type Item = ServedContextDetail['items'][number];

/** Marks a served memory as useful or wrong. @throws AskError */
async function rate(contextId: string, itemId: string, kind: 'useful' | 'wrong'): Promise<void> {
  await ask('POST /context/{id}/feedback', { path: { id: contextId }, body: { [kind]: [itemId] } });
  invalidate('/contexts', '/learnings');
}

/** A served memory: what it is, why it was served, and whether it was of use. */
function ServedItem(props: {
  readonly item: Item;
  readonly contextId: string;
  readonly mayRate: boolean;
}): JSX.Element {
  const { item, contextId, mayRate } = props;
  const t = inLanguage(texts);
  const [isOpen, setIsOpen] = useState(false);
  const act = useAct();
  const { id, type, title, preview, reason, tokens, feedback, note, closed } = item;
  const name = title ?? id;
  return (
    <li class="served-item">
      <p class="line">
        <span class="badge">{t.types[type]}</span>
        {title === null ? <span class="hint">{t.unavailable}</span> : <Text text={title} />}
        {closed ? <span class="badge">{t.closed}</span> : null}
        {feedback.map((kind) => (
          <span key={kind} class={kind === 'wrong' ? 'badge bad' : 'badge good'}>
            {t.uses[kind]}
          </span>
        ))}
      </p>
      <p class="details">
        {reason === null ? t.noReason : <Text text={reason} />}
        {tokens === null ? null : ` · ${t.tokens(tokens)}`}
        {note === null ? null : (
          <>
            {' · '}
            <Text text={note} />
          </>
        )}
      </p>
      <p class="line">
        {title === null ? null : (
          <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? t.less : t.text}
            <span class="off-screen">: {name}</span>
          </button>
        )}
        {mayRate
          ? (['useful', 'wrong'] as const).map((kind) => (
              <button
                key={kind}
                type="button"
                class="quiet"
                aria-pressed={feedback.includes(kind)}
                disabled={feedback.includes(kind)}
                onClick={() => act.run(() => rate(contextId, id, kind), t.rated[kind])}
              >
                {t.rate[kind]}
                <span class="off-screen">: {name}</span>
              </button>
            ))
          : null}
      </p>
      {act.note}
      {!isOpen ? null : closed ? (
        <>
          <Quoted text={preview ?? ''} />
          <a href={addressOfLearning(id)}>{t.toPlace}</a>
        </>
      ) : (
        <MemoryText id={id} />
      )}
    </li>
  );
}

/** The items of a served context. */
function ServedItems({ id }: { readonly id: string }): JSX.Element {
  const t = inLanguage(texts);
  const detail = useResource('GET /contexts/{id}', { path: { id } });
  const user = me.value;
  return (
    <LoadedView of={detail}>
      {({ items, user_id: owner }) => (
        <>
          {items.length === 0 ? <p class="hint">{t.nothingServed}</p> : null}
          <ul>
            {items.map((item) => (
              <ServedItem
                key={item.id}
                item={item}
                contextId={id}
                mayRate={user?.role !== 'viewer' && (owner === user?.user.id || may('admin'))}
              />
            ))}
          </ul>
        </>
      )}
    </LoadedView>
  );
}

/** What was served, when and for what, and how much of it was of use. */
function Served(props: {
  readonly context: ServedContext;
  readonly isOpen: boolean;
  readonly withSession: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { context, isOpen, withSession, onToggle } = props;
  const t = inLanguage(texts);
  const { purpose, items, tokens, useful, fetched, wrong, session, project } = context;
  return (
    <article class="card">
      <header class="line">
        <h2>
          <button type="button" class="quiet" aria-expanded={isOpen} onClick={onToggle}>
            {t.purposes[purpose]}, <RelativeTime at={context.created_at} isExact />
          </button>
        </h2>
        <span class={wasUsed(context) ? 'badge good' : 'badge'}>{wasUsed(context) ? t.used : t.unused}</span>
        {wrong === 0 ? null : <span class="badge bad">{t.wrongOf(wrong)}</span>}
      </header>
      <p class="details">
        {t.itemsOf(items, tokens)} · {t.usesOf(useful, fetched)}
        {project === null ? null : (
          <>
            {' · '}
            <Text text={project.name} />
          </>
        )}
        {!withSession || session === null ? null : (
          <>
            {' · '}
            <a href={addressOfSession(session.id, 'context')}>
              {session.title === null ? t.session : <Text text={session.title} />}
            </a>
          </>
        )}
      </p>
      {isOpen ? <ServedItems id={context.id} /> : null}
    </article>
  );
}

/** Contexts that agents were served, newest first; `open`: id of the one whose items are shown. */
export function ServedList(props: {
  readonly filters: ServedFilters;
  readonly open: string | undefined;
  readonly onOpen: (id: string | undefined) => void;
}): JSX.Element {
  const { filters, open, onOpen } = props;
  const t = inLanguage(texts);
  const served = useServed(filters);
  return (
    <LoadedView of={served}>
      {({ items }) =>
        items.length === 0 ? (
          <ConnectAgent title={t.noneServed}>
            <p>{t.whenServed}</p>
          </ConnectAgent>
        ) : (
          <div>
            {items.map((context) => (
              <Served
                key={context.id}
                context={context}
                withSession={filters.session === undefined}
                isOpen={context.id === open}
                onToggle={() => onOpen(context.id === open ? undefined : context.id)}
              />
            ))}
            <More of={served} />
          </div>
        )
      }
    </LoadedView>
  );
}
