import type { JSX } from 'preact';
import type { SessionAgent, SessionDetail, Window } from '../../contract/index.ts';
import { useList } from '../../link/pages.ts';
import { fullCount } from '../../parts/amounts.ts';
import { addressOfRow, addressOfSession } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView, More } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts as lists } from '../sessions/texts.ts';
import { texts } from './texts.ts';
import { eventsOf } from './view.ts';

const PAGE_ROWS = 50;
const idOfWindow = ({ n }: Window): string => String(n);

/** What the session's workflow does, waits for, and why it is stuck; its windows, agents and gaps. */
export function Work({ session }: { readonly session: SessionDetail }): JSX.Element {
  const t = inLanguage(texts);
  const { phases } = inLanguage(lists);
  const windows = useList(
    'GET /sessions/{id}/windows',
    { path: { id: session.id }, query: { limit: PAGE_ROWS } },
    idOfWindow,
    eventsOf(session.id, ['session.updated', 'summary.generated']),
  );
  const { pending, counts, stuck, gaps, agents } = session;
  return (
    <div class="page">
      <section>
        <h2>{t.state}</h2>
        {stuck === null ? null : (
          <p class="note bad">
            {stuck.why}. {stuck.advice}
          </p>
        )}
        <dl class="facts">
          <div>
            <dt>{t.phase}</dt>
            <dd>{phases[session.phase]}</dd>
          </div>
          <div>
            <dt>{t.waitsFor}</dt>
            <dd>{session.waiting_reason?.replaceAll('_', ' ') ?? t.nothing}</dd>
          </div>
          <div>
            <dt>{t.remaining}</dt>
            <dd>{t.pending(pending.summarise, pending.learn, pending.embed)}</dd>
          </div>
          <div>
            <dt>{t.failures}</dt>
            <dd class={counts.windows_parked + counts.vectors_failed > 0 ? 'bad' : undefined}>
              {t.failedOf(counts.windows_parked, counts.vectors_failed)}
            </dd>
          </div>
          {session.workflow_id === null ? null : (
            <div>
              <dt>{t.steps.workflow}</dt>
              <dd>
                <code>{session.workflow_id}</code>
              </dd>
            </div>
          )}
        </dl>
      </section>
      {agents.length === 0 ? null : (
        <Table<SessionAgent>
          caption={t.agents}
          rows={agents}
          keyOf={({ id }) => id}
          columns={[
            {
              head: t.agent,
              cell: ({ id, type }) => (
                <a href={`${addressOfSession(session.id)}?agent=${encodeURIComponent(id)}`}>
                  <Text text={type ?? id} />
                </a>
              ),
            },
            { head: t.counted.prompts, cell: ({ prompts }) => prompts, isNumber: true },
            { head: t.counted.tools, cell: ({ observations }) => observations, isNumber: true },
          ]}
        />
      )}
      {gaps.length === 0 ? null : (
        <section>
          <h2>{t.gaps}</h2>
          <ul>
            {gaps.map(({ from, to, transcript }) => (
              <li key={from}>
                <RelativeTime at={from} /> – <RelativeTime at={to} />: {t.transcripts[transcript]}
              </li>
            ))}
          </ul>
        </section>
      )}
      <LoadedView of={windows}>
        {() =>
          windows.items.length === 0 ? (
            <p class="hint">{t.noWindows}</p>
          ) : (
            <>
              <Table
                caption={t.windows}
                rows={windows.items}
                keyOf={idOfWindow}
                columns={[
                  { head: t.window, cell: ({ n }) => n, isNumber: true },
                  {
                    head: t.rows,
                    cell: ({ from_seq: from, to_seq: to }) => (
                      <a href={addressOfRow(session.id, from)}>
                        {from}–{to}
                      </a>
                    ),
                  },
                  { head: t.tokensHead, cell: ({ tokens }) => fullCount(tokens), isNumber: true },
                  {
                    head: t.state,
                    cell: ({ state, error }) => (
                      <>
                        <span class={state === 'parked' ? 'bad' : undefined}>{t.windowStates[state]}</span>
                        {error === null ? null : (
                          <span class="bad">
                            {' · '}
                            {error}
                          </span>
                        )}
                      </>
                    ),
                  },
                  { head: t.attempts, cell: ({ attempts }) => attempts, isNumber: true },
                  { head: t.counted.summaries, cell: ({ summary_ids: ids }) => ids.length, isNumber: true },
                ]}
              />
              <More of={windows} />
            </>
          )
        }
      </LoadedView>
    </div>
  );
}
