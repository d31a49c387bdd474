import type { JSX } from 'preact';
import type { Learning } from '../../contract/index.ts';
import { Text, Quoted } from '../../parts/quoted.tsx';
import { addressOfLearning, addressOfRow } from '../../parts/places.ts';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { ErrorNote } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { failed, rejected } from './changes.ts';
import { texts } from './texts.ts';

/** Category, project, certainty, use, and what distinguishes its state. */
export function Facts({ of }: { readonly of: Learning }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <p class="details">
      {t.categories[of.category]}
      {' · '}
      <Text text={of.project?.name ?? t.noProject} />
      {' · '}
      {t.certain(Math.round(of.confidence * 100))}
      {' · '}
      {t.used(of.use_count)}
      {' · '}
      <RelativeTime at={of.valid_from} />
      {of.verified ? <span class="good"> · {t.verified}</span> : null}
      {of.visibility === 'private' ? <span class="warn"> · {t.visibilities.private}</span> : null}
      {of.valid_to === null ? null : <span class="bad"> · {t.closed(of.reason ?? '')}</span>}
      {of.disputes === null ? null : <span class="warn"> · {t.disputes}</span>}
    </p>
  );
}

/** The quotes that the claim is made from, each with a link to its row. `most`: shows the first ones and counts the others. */
export function Evidence(props: { readonly of: Learning; readonly most?: number }): JSX.Element {
  const t = inLanguage(texts);
  const { evidence } = props.of;
  const shown = evidence.slice(0, props.most ?? evidence.length);
  if (evidence.length === 0) return <p class="muted">{t.noEvidence}</p>;
  return (
    <ul class="evidence" aria-label={t.evidence}>
      {shown.map(({ session_id: session, row_id: row, quote }) => (
        <li key={`${row} ${quote ?? ''}`}>
          {quote === null ? <p class="muted">{t.otherUser}</p> : <Quoted text={quote} />}
          <a href={addressOfRow(session, row)}>{t.toRow}</a>
        </li>
      ))}
      {evidence.length > shown.length ? (
        <li>
          <a href={addressOfLearning(props.of.id)}>{t.moreQuotes(evidence.length - shown.length)}</a>
        </li>
      ) : null}
    </ul>
  );
}

/** What was rejected of the last change, with a button that repeats it. */
export function ChangeFaults(): JSX.Element {
  const t = inLanguage(texts);
  const fault = failed.value;
  return (
    <>
      {fault === null ? null : <ErrorNote error={fault.error} onRetry={fault.again} />}
      {rejected.value.length === 0 ? null : (
        <div class="note bad" role="alert">
          <p>{t.rejectedMany(rejected.value.length)}</p>
          <ul>
            {rejected.value.map(({ index, hash, code, message }) => (
              <li key={index}>
                <code>{code}</code> {hash} {message}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
