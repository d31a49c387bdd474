import type { JSX } from 'preact';
import type { Profile } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { percentText } from '../../parts/amounts.ts';
import { addressOfSession } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

type Evidence = Profile['focus'][number]['evidence'];

function Quotes({ evidence }: { readonly evidence: Evidence }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <details>
      <summary>{t.evidence(evidence.length)}</summary>
      {evidence.map(({ row_id: row, quote }, index) => (
        <Quoted key={`${row} ${index}`} text={quote} />
      ))}
    </details>
  );
}

/** What Recollect knows of the user in a project: preferences and focus, each with its quotes. */
export function ProfileView({ project }: { readonly project: string }): JSX.Element {
  const t = inLanguage(texts);
  const profile = useResource(
    'GET /profile',
    { query: { project } },
    ({ type }) => type === 'learning.extracted' || type === 'summary.generated',
  );
  return (
    <section class="panel">
      <h2>{t.profile}</h2>
      <LoadedView of={profile}>
        {({ preferences, focus }) => (
          <>
            <h3>{t.preferences}</h3>
            {preferences.length === 0 ? <p class="muted">{t.noPreferences}</p> : null}
            {preferences.map(({ text, category, verified, confidence, evidence, learning_ids: ids }) => (
              <article key={ids[0] ?? text}>
                <p>
                  <Text text={text} />
                </p>
                <p class="muted">
                  {category} ·{' '}
                  {verified ? <span class="good">{t.verified}</span> : t.confidence(percentText(confidence))}
                </p>
                <Quotes evidence={evidence} />
              </article>
            ))}
            <h3>{t.focus}</h3>
            {focus.length === 0 ? <p class="muted">{t.noFocus}</p> : null}
            {focus.map(({ kind, text, session_id: session, occurred_at: at, evidence }, index) => (
              <article key={`${session} ${index}`}>
                <p>
                  <Text text={text} />
                </p>
                <p class="muted">
                  {t.kinds[kind]} ·{' '}
                  <a href={addressOfSession(session)}>
                    <RelativeTime at={at} />
                  </a>
                </p>
                <Quotes evidence={evidence} />
              </article>
            ))}
          </>
        )}
      </LoadedView>
    </section>
  );
}
