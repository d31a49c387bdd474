import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Learning, LearningDetail } from '../../contract/index.ts';
import { may } from '../../link/me.ts';
import { useResource } from '../../link/resource.ts';
import { addressOfLearning } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { navigate } from '../../router/router.ts';
import { useKeys } from '../../shell/keys.ts';
import { inLanguage } from '../../texts/language.ts';
import type { PageProps } from '../registry.ts';
import { invalidateLearning, mayChange, mayVerify, pending, share, undoLast, verify } from './changes.ts';
import { Claim } from './claim.tsx';
import { CorrectDialog } from './correct-dialog.tsx';
import { ReasonDialog, ReopenDialog, SupersedeDialog } from './dialogs.tsx';
import { concernsLearnings, titleOf } from './filters.ts';
import { ChangeFaults, Evidence, Facts } from './parts.tsx';
import { changedLearning } from './pending.ts';
import { texts } from './texts.ts';

type DialogKind = 'correct' | 'invalidate' | 'supersede' | 'reopen';

/** Actions that the state and the rights permit. */
function Actions(props: { readonly of: Learning; readonly onDialog: (kind: DialogKind) => void }): JSX.Element {
  const { of, onDialog } = props;
  const t = inLanguage(texts);
  const isOpen = of.valid_to === null;
  const other = of.visibility === 'shared' ? 'private' : 'shared';
  return (
    <p class="line">
      {isOpen && !of.verified && mayVerify() ? (
        <button type="button" class="primary" onClick={() => void verify(of)}>
          {t.verify}
        </button>
      ) : null}
      {!mayChange(of) ? null : isOpen ? (
        <>
          <button type="button" onClick={() => onDialog('correct')}>
            {t.correct}
          </button>
          <button type="button" onClick={() => onDialog('supersede')}>
            {t.supersede}
          </button>
          <button type="button" onClick={() => void share(of, other)}>
            {other === 'shared' ? t.share : t.unshare}
          </button>
          <button type="button" class="danger" onClick={() => onDialog('invalidate')}>
            {t.invalidate}
          </button>
        </>
      ) : (
        <button type="button" onClick={() => onDialog('reopen')}>
          {t.reopen}
        </button>
      )}
    </p>
  );
}

/** All versions, newest first. */
function Versions({ of }: { readonly of: LearningDetail }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <section class="stack">
      <h2>{t.versions}</h2>
      <ol class="versions" reversed>
        {of.versions.toReversed().map((version) => (
          <li key={version.id} class="stack">
            <p class="line">
              {version.id === of.id ? (
                <strong>{t.version(version.version)}</strong>
              ) : (
                <a href={addressOfLearning(version.id)}>{t.version(version.version)}</a>
              )}
              {version.id === of.id ? <span class="badge">{t.thisVersion}</span> : null}
              <span class="muted">
                {t.from} <RelativeTime at={version.valid_from} />{' '}
                {version.valid_to === null ? (
                  <span class="good">· {t.current}</span>
                ) : (
                  <>
                    {t.to} <RelativeTime at={version.valid_to} />
                  </>
                )}
              </span>
            </p>
            {version.reopen_reason === null ? null : (
              <p class="details">
                {t.reopenedFor}: <Text text={version.reopen_reason} />
              </p>
            )}
            {version.reason === null ? null : (
              <p class="details">
                <Text text={t.closed(version.reason)} />
              </p>
            )}
            {version.id === of.id ? null : <Quoted text={version.description} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What replaced a closed learning. */
function Successor({ of }: { readonly of: LearningDetail }): JSX.Element | null {
  const t = inLanguage(texts);
  if (of.superseded_by === null || of.valid_to === null) return null;
  const newest = of.versions.at(-1);
  const isVersion = newest !== undefined && newest.id !== of.id && newest.valid_to === null;
  return (
    <p class="note warn" role="status">
      {t.replacedBy}{' '}
      <a href={addressOfLearning(isVersion ? newest.id : of.superseded_by)}>
        {isVersion ? t.showCurrent : t.showSuccessor}
      </a>
    </p>
  );
}

/** One learning: its claim beside its evidence, its versions, and what may be changed. */
export default function LearningPage({ parts }: PageProps): JSX.Element {
  const t = inLanguage(texts);
  const detail = useResource('GET /learnings/{id}', { path: { id: parts['id'] ?? '' } }, concernsLearnings);
  const [dialog, setDialog] = useState<DialogKind | null>(null);
  const learning =
    detail.data === undefined ? undefined : changedLearning(detail.data, detail.loadedAt ?? 0, pending.value);
  const keys = useMemo(() => {
    if (learning === undefined || !may('write')) return {};
    const isOpen = learning.valid_to === null;
    return {
      ...(isOpen && mayVerify() && !learning.verified
        ? { v: { text: t.verifyKey, run: () => void verify(learning) } }
        : {}),
      ...(isOpen && mayChange(learning)
        ? {
            x: { text: t.invalidateKey, run: () => setDialog('invalidate') },
            c: { text: t.correctKey, run: () => setDialog('correct') },
          }
        : {}),
      u: { text: t.undoKey, run: undoLast },
    };
  }, [t, learning]);
  useKeys(keys);
  const close = (): void => setDialog(null);
  const showVersion = (id: string): void => navigate(addressOfLearning(id), { replace: true });
  return (
    <div class="page">
      <p>
        <a href="/learnings">← {t.back}</a>
      </p>
      <ChangeFaults />
      <LoadedView of={detail}>
        {() =>
          learning === undefined ? null : (
            <>
              <header class="stack">
                <h1>
                  <Text text={titleOf(learning)} />
                </h1>
                <Facts of={learning} />
                <Actions of={learning} onDialog={setDialog} />
              </header>
              <Successor of={learning} />
              <div class="beside">
                <Claim of={learning} />
                <section class="stack">
                  <h2>{t.evidence}</h2>
                  <Evidence of={learning} />
                </section>
              </div>
              <Versions of={learning} />
              {dialog === 'correct' ? (
                <CorrectDialog learning={learning} onCurrent={showVersion} onClose={close} />
              ) : dialog === 'supersede' ? (
                <SupersedeDialog learning={learning} onClose={close} />
              ) : dialog === 'reopen' ? (
                <ReopenDialog learning={learning} onClose={close} />
              ) : dialog === 'invalidate' ? (
                <ReasonDialog
                  title={t.invalidateTitle(1)}
                  why={t.invalidateWhy}
                  action={t.invalidate}
                  isDangerous
                  onReason={async (reason) => {
                    // Shown at once: an error is above the claim.
                    void invalidateLearning(learning, reason);
                  }}
                  onClose={close}
                />
              ) : null}
            </>
          )
        }
      </LoadedView>
    </div>
  );
}
