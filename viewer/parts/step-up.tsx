import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { asAskError, ask } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { loadMe, me } from '../link/me.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Field } from './fields.tsx';
import { ErrorNote } from './states.tsx';

/** A proof of the identity for what needs a recent one (`STEP_UP_REQUIRED`); then the action runs again. */
export function StepUp({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [value, setValue] = useState('');
  const [error, setError] = useState<AskError | null>(null);
  const by = me.value?.session?.prove_by;
  if (by !== 'second_factor' && by !== 'password') return <p class="warn">{t.signInAgain}</p>;
  const prove = async (): Promise<void> => {
    try {
      await ask('POST /auth/step-up', { body: by === 'password' ? { password: value } : { code: value.trim() } });
      await loadMe();
      onProven();
    } catch (fault) {
      setError(asAskError(fault));
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void prove();
      }}
    >
      <p>{t.proveAgain}</p>
      {error === null ? null : <ErrorNote error={error} />}
      <Field
        label={by === 'password' ? t.password : t.code}
        type={by === 'password' ? 'password' : 'text'}
        autocomplete={by === 'password' ? 'current-password' : 'one-time-code'}
        required
        value={value}
        onValue={setValue}
      />
      <button type="submit" class="primary">
        {t.prove}
      </button>
    </form>
  );
}
