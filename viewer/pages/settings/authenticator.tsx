import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Me } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { AnswerOf } from '../../link/ask.ts';
import { loadMe } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { Fields, useAct } from '../../parts/act.tsx';
import { Copy } from '../../parts/copy.tsx';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { logInTexts } from './log-in-texts.ts';

type Secret = AnswerOf<'POST /auth/mfa/totp'>;

/** The sign-in has another session after a proof. */
async function readAgain(): Promise<void> {
  await loadMe();
  invalidate('/auth/sessions');
}

/** The secret, as text for the authenticator; its first code confirms it. Then the recovery codes, once. */
function Enrolment(props: { readonly secret: Secret; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(logInTexts);
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState<readonly string[] | null>(null);
  const act = useAct();
  const confirm = async (): Promise<void> => {
    const answer = await ask('POST /auth/mfa/totp/confirm', { body: { code: code.replaceAll(/\s/g, '') } });
    setRecovery(answer.recovery_codes);
    await readAgain();
  };
  if (recovery !== null)
    return (
      <Dialog title={t.recoveryCodes} onClose={props.onClose}>
        <p class="warn">{t.recoveryHint}</p>
        <ul class="codes">
          {recovery.map((one) => (
            <li key={one}>
              <code>{one}</code>
            </li>
          ))}
        </ul>
        <footer class="line">
          <Copy text={recovery.join('\n')} />
          <button type="button" class="primary" onClick={props.onClose}>
            {t.stored}
          </button>
        </footer>
      </Dialog>
    );
  const { secret, otpauth_uri: uri } = props.secret;
  return (
    <Dialog title={t.setUp} onClose={props.onClose}>
      <p class="warn">{t.secretHint}</p>
      <p>
        {t.secret}: <code>{secret}</code> <Copy text={secret} />
      </p>
      <p>
        {t.uri}: <code>{uri}</code> <Copy text={uri} />
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run(confirm);
        }}
      >
        <Fields act={act}>
          <Field
            label={t.firstCode}
            inputMode="numeric"
            autocomplete="one-time-code"
            required
            maxLength={16}
            value={code}
            fault={act.error?.fault('code')}
            onValue={setCode}
          />
        </Fields>
        <button type="submit" class="primary" disabled={act.isRunning}>
          {t.confirm}
        </button>
      </form>
      {act.note}
    </Dialog>
  );
}

/** The authenticator of the user: set up with its recovery codes, or removed. */
export function Authenticator({ user }: { readonly user: Me }): JSX.Element {
  const t = inLanguage(logInTexts);
  const [secret, setSecret] = useState<Secret | null>(null);
  const [isRemoving, setIsRemoving] = useState(false);
  const act = useAct();
  const isLogIn = user.credential.kind === 'session';
  const { totp, recovery_codes: unused } = user.login;
  const create = async (): Promise<void> => setSecret(await ask('POST /auth/mfa/totp', {}));
  const remove = async (): Promise<void> => {
    await ask('DELETE /auth/mfa/totp', {});
    await readAgain();
    showToast({ text: t.authenticatorRemoved });
  };
  return (
    <section class="panel">
      <h2>{t.authenticator}</h2>
      {totp ? (
        <p>
          {t.unused(unused)}. {t.newCodesHint}
        </p>
      ) : (
        <p>{t.noAuthenticator}</p>
      )}
      {!isLogIn ? (
        <p class="muted">{t.needsLogIn}</p>
      ) : totp ? (
        <p>
          <button type="button" onClick={() => setIsRemoving(true)}>
            {t.removeAuthenticator}
          </button>
        </p>
      ) : (
        <p>
          <button type="button" disabled={act.isRunning} onClick={() => act.run(create)}>
            {t.setUp}
          </button>
        </p>
      )}
      {act.note}
      {secret === null ? null : <Enrolment secret={secret} onClose={() => setSecret(null)} />}
      {isRemoving ? (
        <Confirm
          title={t.removeAuthenticator}
          action={t.removeAuthenticator}
          isDangerous
          onConfirm={remove}
          onClose={() => setIsRemoving(false)}
        >
          <p>{t.removeAuthenticatorHint}</p>
        </Confirm>
      ) : null}
    </section>
  );
}
