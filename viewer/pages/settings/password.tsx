import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Me } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { loadMe } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { Fields, useAct } from '../../parts/act.tsx';
import { Field } from '../../parts/fields.tsx';
import { showToast } from '../../parts/toast.tsx';
import { signOutOfServer } from '../../shell/sign-out.ts';
import { inLanguage } from '../../texts/language.ts';
import { maySetPassword } from './account.ts';
import { logInTexts } from './log-in-texts.ts';

const LONGEST = 1_024;
const EMPTY = { current: '', next: '', again: '' } as const;

/** Sets the own password. A refused one leaves what was entered. */
export function Password({ user }: { readonly user: Me }): JSX.Element {
  const t = inLanguage(logInTexts);
  const [typed, setTyped] = useState<Readonly<Record<keyof typeof EMPTY, string>>>(EMPTY);
  const act = useAct();
  const { current, next, again } = typed;
  const hasPassword = user.login.password;
  const isLogIn = user.credential.kind === 'session';
  const save = async (): Promise<void> => {
    const body = { password: next, ...(hasPassword ? { current_password: current } : {}) };
    const { token } = await ask('PUT /auth/password', { body });
    setTyped(EMPTY);
    // The session of a key has ended with all others.
    if (token === null) await signOutOfServer();
    else {
      await loadMe();
      invalidate('/auth/sessions');
      showToast({ text: t.passwordChanged });
    }
  };
  if (!maySetPassword(user))
    return (
      <section class="panel">
        <h2>{t.password}</h2>
        <p>{t.noFirstPassword}</p>
      </section>
    );
  const isDifferent = again !== '' && again !== next;
  return (
    <section class="panel">
      <h2>{t.password}</h2>
      {hasPassword ? null : <p>{t.noPassword}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (next === again) act.run(save);
        }}
      >
        <Fields act={act}>
          {hasPassword ? (
            <Field
              label={t.current}
              type="password"
              autocomplete="current-password"
              required
              maxLength={LONGEST}
              value={current}
              fault={act.error?.fault('current_password')}
              onValue={(value) => setTyped({ ...typed, current: value })}
            />
          ) : null}
          <Field
            label={t.next}
            hint={t.nextHint}
            type="password"
            autocomplete="new-password"
            required
            maxLength={LONGEST}
            value={next}
            fault={act.error?.fault('password')}
            onValue={(value) => setTyped({ ...typed, next: value })}
          />
          <Field
            label={t.again}
            type="password"
            autocomplete="new-password"
            required
            maxLength={LONGEST}
            value={again}
            fault={isDifferent ? t.differs : undefined}
            onValue={(value) => setTyped({ ...typed, again: value })}
          />
        </Fields>
        <p class="muted">{isLogIn ? t.endsSessions : t.endsOwn}</p>
        <button type="submit" class="primary" disabled={act.isRunning}>
          {hasPassword ? t.changePassword : t.setPassword}
        </button>
      </form>
      {act.note}
    </section>
  );
}
