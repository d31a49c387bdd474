import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { asAskError } from '../../link/ask.ts';
import type { AskError } from '../../link/ask.ts';
import { hasPasskeys } from '../../link/passkeys.ts';
import { useResource } from '../../link/resource.ts';
import { signIn, signInByCode, signInByPasskey, signInByPassword, signInByProvider } from '../../link/sign-in.ts';
import { Copy } from '../../parts/copy.tsx';
import { Field } from '../../parts/fields.tsx';
import { ErrorNote } from '../../parts/states.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { common } from '../../texts/common.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

const COMMAND = 'recollect open';

/** Runs one step of a sign-in at a time; its error stays until the next step. */
function useStep(): readonly [AskError | null, boolean, (step: () => Promise<void>) => void] {
  const [error, setError] = useState<AskError | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const run = (step: () => Promise<void>): void => {
    if (isRunning) return;
    setIsRunning(true);
    setError(null);
    step()
      .catch((fault: unknown) => setError(asAskError(fault)))
      .finally(() => setIsRunning(false));
  };
  return [error, isRunning, run];
}

/** A form whose fields the browser does not send by itself. */
function Form(props: {
  readonly onSubmit: () => void;
  readonly action: string;
  readonly isRunning: boolean;
  readonly children: JSX.Element | readonly JSX.Element[];
}): JSX.Element {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        props.onSubmit();
      }}
    >
      {props.children}
      <button type="submit" class="primary" disabled={props.isRunning}>
        {props.action}
      </button>
    </form>
  );
}

function KeyForm(): JSX.Element {
  const t = inLanguage(texts);
  const [key, setKey] = useState('');
  const [error, isRunning, run] = useStep();
  return (
    <>
      {error === null ? null : <ErrorNote error={error} />}
      <Form action={t.withKey} isRunning={isRunning} onSubmit={() => run(() => signIn({ api_key: key.trim() }))}>
        <Field
          label={inLanguage(common).key}
          hint={t.keyHint}
          type="password"
          autocomplete="off"
          required
          value={key}
          onValue={setKey}
          fault={error?.fault('api_key')}
        />
      </Form>
    </>
  );
}

function SecondStep({ token }: { readonly token: string }): JSX.Element {
  const c = inLanguage(common);
  const [code, setCode] = useState('');
  const [isRecovery, setIsRecovery] = useState(false);
  const [error, isRunning, run] = useStep();
  return (
    <>
      {error === null ? null : <ErrorNote error={error} />}
      <Form
        action={c.prove}
        isRunning={isRunning}
        onSubmit={() => run(() => signInByCode(token, code.replaceAll(/\s/g, ''), isRecovery))}
      >
        <Field
          label={isRecovery ? c.recoveryCode : c.code}
          inputMode={isRecovery ? 'text' : 'numeric'}
          autocomplete="one-time-code"
          required
          value={code}
          onValue={setCode}
          fault={error?.fault('code')}
        />
      </Form>
      <button type="button" class="quiet" onClick={() => setIsRecovery(!isRecovery)}>
        {isRecovery ? c.useCode : c.useRecovery}
      </button>
    </>
  );
}

function PasswordForm(): JSX.Element {
  const t = inLanguage(texts);
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [tenant, setTenant] = useState('');
  const [token, setToken] = useState<string | null>(null);
  const [error, isRunning, run] = useStep();
  if (token !== null) return <SecondStep token={token} />;
  const body = { login, password, ...(tenant === '' ? {} : { tenant }) };
  return (
    <>
      {error === null ? null : <ErrorNote error={error} />}
      <Form
        action={t.withPassword}
        isRunning={isRunning}
        onSubmit={() => run(async () => setToken(await signInByPassword(body)))}
      >
        <Field label={t.login} autocomplete="username" required value={login} onValue={setLogin} />
        <Field
          label={inLanguage(common).password}
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onValue={setPassword}
        />
        <Field label={t.tenant} hint={t.tenantHint} value={tenant} onValue={setTenant} />
      </Form>
    </>
  );
}

/** The sign-in, at the address of the page that continues after it. */
export function SignIn(): JSX.Element {
  const t = inLanguage(texts);
  const [way, setWay] = useState<'key' | 'password'>('key');
  const [isUnused, setIsUnused] = useState(false);
  const [error, isRunning, run] = useStep();
  const { data: about } = useResource('GET /about', {});
  const offered = about?.sign_in;
  return (
    <main class="sign-in">
      <h1>{t.title}</h1>
      <p>
        {t.onThisMachine} <code>{COMMAND}</code> <Copy text={COMMAND} />
      </p>
      {offered?.password === true ? (
        <Tabs
          label={t.methods}
          tabs={[
            { name: 'key', text: t.byKey },
            { name: 'password', text: t.byPassword },
          ]}
          selected={way}
          onSelect={setWay}
        >
          {way === 'key' ? <KeyForm /> : <PasswordForm />}
        </Tabs>
      ) : (
        <KeyForm />
      )}
      {error === null ? null : <ErrorNote error={error} />}
      {isUnused ? <p role="status">{t.noPasskey}</p> : null}
      {offered?.passkeys === true && hasPasskeys() ? (
        <button
          type="button"
          disabled={isRunning}
          onClick={() => run(async () => setIsUnused(!(await signInByPasskey())))}
        >
          {t.passkey}
        </button>
      ) : null}
      {offered?.providers.map(({ name, label }) => (
        <button key={name} type="button" onClick={() => signInByProvider(name)}>
          {t.provider(label)}
        </button>
      ))}
    </main>
  );
}
