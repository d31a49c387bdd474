import type { JSX } from 'preact';
import type { LearningDetail } from '../../contract/index.ts';
import { addressOfLearning } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** The claim with everything that is known about it. */
export function Claim({ of }: { readonly of: LearningDetail }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <section class="stack">
      <h2>{t.claim}</h2>
      <p class="claim-text">
        <Text text={of.description} />
      </p>
      {of.context === '' ? null : (
        <>
          <h3>{t.context}</h3>
          <p>
            <Text text={of.context} />
          </p>
        </>
      )}
      {of.examples.length === 0 ? null : (
        <>
          <h3>{t.examples}</h3>
          {of.examples.map((example) => (
            <Quoted key={example} text={example} />
          ))}
        </>
      )}
      {of.tags.length === 0 ? null : (
        <ul class="line" aria-label={t.tags}>
          {of.tags.map((tag) => (
            <li key={tag}>
              <a class="badge" href={`/learnings?state=current&tag=${encodeURIComponent(tag)}`}>
                <Text text={tag} />
              </a>
            </li>
          ))}
        </ul>
      )}
      <p class="details">{t.origins[of.origin]}</p>
      {of.verified_at === null ? null : (
        <p class="details">
          {t.verifiedBy} <RelativeTime at={of.verified_at} />
          {of.verify_note === null ? null : (
            <>
              {' · '}
              {t.note}: <Text text={of.verify_note} />
            </>
          )}
        </p>
      )}
      {of.disputes === null ? null : (
        <p class="warn">
          {t.disputes} · <a href={addressOfLearning(of.disputes)}>{t.disputed}</a>
        </p>
      )}
    </section>
  );
}
