import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { SessionDetail } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { may } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { showToast } from '../../parts/toast.tsx';
import { navigate } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { ForgetSession } from './forget.tsx';
import { texts } from './texts.ts';

/** Sets whether events of a session are stored. @throws AskError */
async function setCapture(id: string, capture: boolean): Promise<void> {
  await ask('PUT /sessions/{id}', { path: { id }, body: { capture } });
  invalidate('/sessions');
}

/** What the user may do with a session. `mayChange`: as its owner or an admin. */
export function Actions(props: { readonly session: SessionDetail; readonly mayChange: boolean }): JSX.Element {
  const { session, mayChange } = props;
  const { id, capture, status, pending } = session;
  const t = inLanguage(texts);
  const [open, setOpen] = useState<'close' | 'forget' | null>(null);
  const close = (): void => setOpen(null);
  const act = useAct();
  const switchCapture = async (): Promise<void> => {
    await setCapture(id, !capture);
    showToast({
      text: capture ? t.captureIsOff : t.captureIsOn,
      undo: () => act.run(() => setCapture(id, capture)),
    });
  };
  return (
    <div class="line actions">
      {mayChange && (status === 'active' || pending.summarise > 0) ? (
        <button
          type="button"
          disabled={act.isRunning}
          onClick={() => act.run(() => ask('POST /sessions/{id}/summaries', { path: { id } }), t.summarising)}
        >
          {t.summariseNow}
        </button>
      ) : null}
      {mayChange && status === 'active' ? (
        <button type="button" onClick={() => setOpen('close')}>
          {t.close}
        </button>
      ) : null}
      {mayChange && status === 'active' ? (
        <button type="button" aria-pressed={!capture} disabled={act.isRunning} onClick={() => act.run(switchCapture)}>
          {capture ? t.captureOff : t.captureOn}
        </button>
      ) : null}
      {mayChange && may('admin') ? (
        <button type="button" class="danger" onClick={() => setOpen('forget')}>
          {t.forgetSession}
        </button>
      ) : null}
      {act.note}
      {open === 'close' ? (
        <Confirm
          title={t.closeTitle}
          action={t.close}
          onClose={close}
          onConfirm={async () => {
            await ask('POST /sessions/{id}/close', { path: { id } });
            invalidate('/sessions');
            showToast({ text: t.closing });
          }}
        >
          <p>{t.closeHint}</p>
        </Confirm>
      ) : null}
      {open === 'forget' ? (
        <ForgetSession
          id={id}
          onClose={close}
          onForgotten={() => {
            invalidate('/sessions');
            navigate('/sessions', { replace: true });
          }}
        />
      ) : null}
    </div>
  );
}
