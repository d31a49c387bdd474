import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Forgotten } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Skeleton } from '../../parts/states.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** Counts what would be forgotten, then confirms. */
function Forget(props: {
  readonly title: string;
  /** `isDryRun`: counts only. */
  readonly forget: (isDryRun: boolean) => Promise<Forgotten>;
  readonly onForgotten: () => Promise<void> | void;
  readonly onClose: () => void;
}): JSX.Element {
  const { title, forget, onForgotten, onClose } = props;
  const t = inLanguage(texts);
  const [counted, setCounted] = useState<Forgotten | null>(null);
  const act = useAct();
  useEffect(() => act.run(() => forget(true).then(setCounted)), []);
  if (counted === null)
    return (
      <Dialog title={title} onClose={onClose}>
        {act.note ?? <Skeleton lines={3} />}
      </Dialog>
    );
  const { prompts, observations, boundaries, summaries, windows, learnings, vectors } = counted.forgotten;
  return (
    <Confirm
      title={title}
      action={t.forget}
      isDangerous
      counts={[
        [t.counted.prompts, prompts],
        [t.counted.tools, observations],
        [t.counted.boundaries, boundaries],
        [t.counted.summaries, summaries],
        [t.counted.windows, windows],
        [t.counted.learnings, learnings],
        [t.counted.vectors, vectors],
      ]}
      onConfirm={async () => {
        await forget(false);
        showToast({ text: t.forgotten });
        await onForgotten();
      }}
      onClose={onClose}
    >
      <p class="warn">{t.noReturn}</p>
    </Confirm>
  );
}

/** Forgets one captured event, with what was derived from it alone. */
export function ForgetEvent(props: {
  readonly eventKey: string;
  readonly sessionId: string;
  readonly onForgotten: () => Promise<void>;
  readonly onClose: () => void;
}): JSX.Element {
  const { eventKey: key, sessionId: session, onForgotten, onClose } = props;
  const t = inLanguage(texts);
  return (
    <Forget
      title={t.forgetEvent}
      forget={(isDryRun) => ask('DELETE /events/{key}', { path: { key }, query: { session, dry_run: isDryRun } })}
      onForgotten={async () => {
        invalidate(`/sessions/${encodeURIComponent(session)}`);
        await onForgotten();
      }}
      onClose={onClose}
    />
  );
}

/** Forgets a session with everything that was captured of it. */
export function ForgetSession(props: {
  readonly id: string;
  readonly onForgotten: () => void;
  readonly onClose: () => void;
}): JSX.Element {
  const { id, onForgotten, onClose } = props;
  const t = inLanguage(texts);
  return (
    <Forget
      title={t.forgetSession}
      forget={(isDryRun) => ask('DELETE /sessions/{id}', { path: { id }, query: { dry_run: isDryRun } })}
      onForgotten={onForgotten}
      onClose={onClose}
    />
  );
}
