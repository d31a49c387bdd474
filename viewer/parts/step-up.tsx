import type { JSX, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asAskError, ask } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { loadMe, me } from '../link/me.ts';
import { hasPasskeys } from '../link/passkeys.ts';
import { useResource } from '../link/resource.ts';
import { signIn, signInByPasskey, signInByProvider } from '../link/sign-in.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Copy } from './copy.tsx';
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

/** Returns what a form has as its `ref`: its first field gets the focus, before the next key. */
function useFocus(): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);
  return form;
}

/** A proof by the password, or by a code of the second factor. */
function ByText(props: { readonly by: 'password' | 'second_factor'; readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [value, setValue] = useState('');
  const [isRecovery, setIsRecovery] = useState(false);
  const [error, prove] = useProof(props.onProven);
  const form = useFocus();
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

/** A proof by another log-in: with a passkey here, or at a provider, which leaves the page. */
function ByLogIn({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [error, prove] = useProof(onProven);
  const { data: about } = useResource('GET /about', {});
  const providers = me.value?.session?.methods.includes('oidc') === true ? (about?.sign_in.providers ?? []) : [];
  const isByPasskey = about?.sign_in.passkeys === true && hasPasskeys();
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

const COMMAND = 'recollect open';

/** A proof by the key, or by `recollect open`: it signs all tabs of the browser in again. */
function ByKey({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const t = inLanguage(common);
  const [key, setKey] = useState('');
  const [error, prove] = useProof(onProven);
  const form = useFocus();
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        prove(() => (key === '' ? loadMe() : signIn({ api_key: key.trim() })));
      }}
    >
      <p>
        {t.proveByKey} <code>{COMMAND}</code> <Copy text={COMMAND} />
      </p>
      {error === null ? null : <ErrorNote error={error} />}
      <Field label={t.key} type="password" autocomplete="off" maxLength={2_048} value={key} onValue={setKey} />
      <button type="submit" class="primary">
        {t.retry}
      </button>
    </form>
  );
}

/** A proof of the identity for what needs a recent one (`STEP_UP_REQUIRED`); then the action runs again. */
export function StepUp({ onProven }: { readonly onProven: () => void }): JSX.Element {
  const by = me.value?.session?.prove_by;
  if (by === 'password' || by === 'second_factor') return <ByText by={by} onProven={onProven} />;
  return me.value?.credential.kind === 'key' ? <ByKey onProven={onProven} /> : <ByLogIn onProven={onProven} />;
}
