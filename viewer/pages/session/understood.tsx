import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Evidence, Learning, SessionDetail, Summary } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { addressOfLearning, addressOfRow } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { eventsOf } from './view.ts';

const MOST = 100;
const SHOWN_QUOTES = 3;

/** Quotes of the rows that a text is made of, each with a link to its row. */
function Quotes(props: { readonly evidence: readonly Evidence[]; readonly sessionId: string }): JSX.Element | null {
  const t = inLanguage(texts);
  const { evidence, sessionId } = props;
  if (evidence.length === 0) return null;
  return (
    <details>
      <summary>{t.quotes(evidence.length)}</summary>
      {evidence.map(({ row_id: id, quote }, index) => (
        <div key={index}>
          {quote === null ? <p class="hint">{t.hiddenQuote}</p> : <Quoted text={quote} />}
          <a href={addressOfRow(sessionId, id)}>{t.toRow}</a>
        </div>
      ))}
    </details>
  );
}

function Fact({ name, text }: { readonly name: string; readonly text: string | null }): JSX.Element | null {
  return text === null || text === '' ? null : (
    <div>
      <dt>{name}</dt>
      <dd>
        <Text text={text} />
      </dd>
    </div>
  );
}

/** The summary of the session: request, results, next steps and quotes. */
function SessionSummary({ summary }: { readonly summary: Summary }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <article class="card">
      <h3>
        <Text text={summary.title} />
      </h3>
      <p>
        <Text text={summary.content} />
      </p>
      <dl class="facts">
        <Fact name={t.facts.request} text={summary.request} />
        <Fact name={t.facts.investigated} text={summary.investigated} />
        <Fact name={t.facts.learned} text={summary.learned} />
        <Fact name={t.facts.completed} text={summary.completed} />
        <Fact name={t.facts.nextSteps} text={summary.next_steps} />
        <Fact name={t.facts.notes} text={summary.notes} />
      </dl>
      {[...summary.key_points, ...summary.action_items].map(({ text, evidence }, index) => (
        <div key={index} class="claim">
          <p>
            <Text text={text} />
          </p>
          <Quotes evidence={evidence} sessionId={summary.session_id} />
        </div>
      ))}
      <Quotes evidence={summary.evidence} sessionId={summary.session_id} />
      <p class="details">
        {t.madeBy(summary.model, summary.input_tokens + summary.output_tokens, summary.cost_usd.toFixed(4))}
      </p>
    </article>
  );
}

/** A topic, or an item of one. */
function Topic({ summary }: { readonly summary: Summary }): JSX.Element {
  return (
    <article class="card">
      <h3>
        <Text text={summary.title} />
        {summary.kind === null ? null : (
          <>
            {' '}
            <span class="badge">{summary.kind}</span>
          </>
        )}
      </h3>
      <p>
        <Text text={summary.content} />
      </p>
      <Quotes evidence={summary.evidence} sessionId={summary.session_id} />
    </article>
  );
}

function LearningCard({ learning }: { readonly learning: Learning }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <article class="card">
      <h3>
        <a href={addressOfLearning(learning.id)}>
          <Text text={learning.title} />
        </a>{' '}
        <span class={`badge ${learning.verified ? 'good' : ''}`}>
          {learning.verified ? t.verified : t.confidence(learning.confidence)}
        </span>
      </h3>
      <p>
        <Text text={learning.description} />
      </p>
      {learning.evidence.slice(0, SHOWN_QUOTES).map(({ session_id: sessionId, row_id: id, quote }) => (
        <Quotes key={id} evidence={[{ row_id: id, quote }]} sessionId={sessionId} />
      ))}
    </article>
  );
}

/** What models understood of a session: its summary, topics and learnings, each with its quotes. `onLoaded`: all of it is shown. */
export function Understood(props: { readonly session: SessionDetail; readonly onLoaded?: () => void }): JSX.Element {
  const { session, onLoaded } = props;
  const t = inLanguage(texts);
  const path = { id: session.id };
  const concern = eventsOf(session.id, ['summary.generated', 'learning.extracted', 'session.updated']);
  const summaries = useResource('GET /sessions/{id}/summaries', { path, query: { limit: MOST } }, concern);
  const learnings = useResource('GET /learnings', { query: { session: session.id, limit: MOST } }, concern);
  const isLoaded = [summaries, learnings].every(({ data, error }) => data !== undefined || error !== null);
  useEffect(() => {
    if (isLoaded) onLoaded?.();
  }, [isLoaded]);
  return (
    <div class="page">
      <section>
        <h2>{t.summary}</h2>
        <LoadedView of={summaries}>
          {({ data, pagination }) => {
            const main = data.filter(({ type }) => type === 'session');
            const others = data.filter(({ type }) => type !== 'session');
            // What people look for first.
            const decisions = others.filter(({ kind }) => kind === 'decision');
            const topics = others.filter(({ kind }) => kind !== 'decision');
            return (
              <>
                {main.length === 0 ? (
                  <Empty title={t.noSummary} command={`recollect sessions summarise ${session.id}`} />
                ) : (
                  main.slice(0, 1).map((summary) => <SessionSummary key={summary.id} summary={summary} />)
                )}
                {decisions.length === 0 ? null : (
                  <section>
                    <h2>{t.decisions}</h2>
                    {decisions.map((summary) => (
                      <Topic key={summary.id} summary={summary} />
                    ))}
                  </section>
                )}
                {topics.length === 0 ? null : (
                  <section>
                    <h2>{t.topics}</h2>
                    {topics.map((summary) => (
                      <Topic key={summary.id} summary={summary} />
                    ))}
                    {pagination.total !== null && pagination.total > data.length ? (
                      <p class="hint">{t.newestOf(data.length, pagination.total)}</p>
                    ) : null}
                  </section>
                )}
              </>
            );
          }}
        </LoadedView>
      </section>
      <section>
        <h2>{t.learnings}</h2>
        <LoadedView of={learnings}>
          {({ data, pagination }) => (
            <>
              {data.length === 0 ? <p class="hint">{t.noLearnings}</p> : null}
              {data.map((learning) => (
                <LearningCard key={learning.id} learning={learning} />
              ))}
              {pagination.total !== null && pagination.total > data.length ? (
                <p class="hint">{t.newestOf(data.length, pagination.total)}</p>
              ) : null}
            </>
          )}
        </LoadedView>
      </section>
    </div>
  );
}
