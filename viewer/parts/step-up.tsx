import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asAskError, ask } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { loadMe, me } from '../link/me.ts';
import { hasPasskeys } from '../link/passkeys.ts';
import { useResource } from '../link/resource.ts';
import { signInByPasskey, signInByProvider } from '../link/sign-in.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Field } from './fields.tsx';
import { ErrorNote } from './states.tsx';

/** Runs a proof; the action runs again only for the same user: a passkey may be that of another one. */
function useProof(onProven: () => void): readonly [AskError | null, (proof: () => Promise<unknown>) => void] {
  const [error, setError] = useState<AskError | null>(null);
  const prove = (proof: () => Promise<unknown>): void => {
    const before = me.value?.user.id;
    setError(null);
    proof()
      .then((isProven) => {
        if (isProven !== false && me.value?.user.id === before) onProven();
      })
      .catch((fault: unknown) => setError(asAskError(fault)));
  };
  return [error, prove];
}

/** A proof by the password, or by a code of the second factor. */
function ByText(props: { readonly by: 'password' | 'second_factor'; readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [value, setValue] = useState('');
  const [isRecovery, setIsRecovery] = useState(false);
  const [error, prove] = useProof(props.onProven);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const isPassword = props.by === 'password';
  const body = isPassword
    ? { password: value }
    : isRecovery
      ? { recovery_code: value.trim() }
      : { code: value.replaceAll(/\s/g, '') };
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        prove(async () => {
          await ask('POST /auth/step-up', { body });
          await loadMe();
        });
      }}
    >
      <p>{t.proveAgain}</p>
      {error === null ? null : <ErrorNote error={error} />}
      <Field
        label={isPassword ? t.password : isRecovery ? t.recoveryCode : t.code}
        type={isPassword ? 'password' : 'text'}
        autocomplete={isPassword ? 'current-password' : 'one-time-code'}
        inputMode={isPassword || isRecovery ? 'text' : 'numeric'}
        required
        value={value}
        onValue={setValue}
      />
      <p class="line">
        <button type="submit" class="primary">
          {t.prove}
        </button>
        {isPassword ? null : (
          <button type="button" class="quiet" onClick={() => setIsRecovery(!isRecovery)}>
            {isRecovery ? t.useCode : t.useRecovery}
          </button>
        )}
      </p>
    </form>
  );
}

/** A proof by another sign-in: with a passkey here, at a provider (which leaves the page), otherwise after a sign-out. */
function BySignIn({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [error, prove] = useProof(onProven);
  const { data: about } = useResource('GET /about', {});
  const methods = me.value?.session?.methods ?? [];
  const providers = methods.includes('oidc') ? (about?.sign_in.providers ?? []) : [];
  const isByPasskey = methods.includes('passkey') && hasPasskeys();
  if (!isByPasskey && providers.length === 0) return <p class="warn">{t.signInAgain}</p>;
  return (
    <>
      <p>{t.proveAgain}</p>
      {error === null ? null : <ErrorNote error={error} />}
      <p class="line">
        {isByPasskey ? (
          <button type="button" class="primary" onClick={() => prove(signInByPasskey)}>
            {t.provePasskey}
          </button>
        ) : null}
        {providers.map(({ name, label }) => (
          <button key={name} type="button" onClick={() => signInByProvider(name, true)}>
            {t.proveAt(label)}
          </button>
        ))}
      </p>
    </>
  );
}

/** A proof of the identity for what needs a recent one (`STEP_UP_REQUIRED`); then the action runs again. */
export function StepUp({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const by = me.value?.session?.prove_by;
  return by === 'password' || by === 'second_factor' ? (
    <ByText by={by} onProven={onProven} />
  ) : (
    <BySignIn onProven={onProven} />
  );
}
