import { AskError, addressOf, ask } from './ask.ts';
import type { CallOf } from './ask.ts';
import { loadMe } from './me.ts';
import { logInByPasskey } from './passkeys.ts';
import { forgetAnswers } from './resource.ts';

/** Set while the browser is at a log-in provider. */
const AT_PROVIDER = 'recollect.provider';

/** Exchanges a key, a one-time code or an access token for the cookie of the browser, and reads the user. @throws AskError */
export async function signIn(body: CallOf<'POST /auth/browser'>['body']): Promise<void> {
  await ask('POST /auth/browser', { body });
  forgetAnswers();
  await loadMe();
}

/** Logs in by a password. Returns the token of the second step; null if the user is signed in. @throws AskError */
export async function signInByPassword(body: CallOf<'POST /auth/login'>['body']): Promise<string | null> {
  const answer = await ask('POST /auth/login', { body });
  if ('mfa_token' in answer) return answer.mfa_token;
  await signIn({ access_token: answer.access_token });
  return null;
}

/** Completes a log-in by a code of the authenticator or a recovery code. @throws AskError */
export async function signInByCode(mfaToken: string, code: string, isRecovery: boolean): Promise<void> {
  const call = { body: { mfa_token: mfaToken, code } };
  const answer = await (isRecovery ? ask('POST /auth/mfa/recovery', call) : ask('POST /auth/mfa/verify', call));
  await signIn({ access_token: answer.access_token });
}

/** Signs in by a passkey that the browser offers. Returns false if the user chose none. @throws AskError */
export async function signInByPasskey(): Promise<boolean> {
  const accessToken = await logInByPasskey();
  if (accessToken === null) return false;
  await signIn({ access_token: accessToken });
  return true;
}

/** Leaves for a log-in provider, which returns to the same page. `reauthenticates`: it authenticates also a user who is logged in there. */
export function signInByProvider(name: string, reauthenticates = false): void {
  try {
    sessionStorage.setItem(AT_PROVIDER, name);
  } catch {
    // Without storage the user signs in another way after the return.
  }
  const returnTo = `${location.pathname}${location.search}`;
  location.assign(
    addressOf(
      'GET /auth/oidc/{name}/start',
      { name },
      { return_to: returnTo, ...(reauthenticates ? { reauthenticate: true } : {}) },
    ),
  );
}

function takeProvider(): boolean {
  try {
    const isAtProvider = sessionStorage.getItem(AT_PROVIDER) !== null;
    sessionStorage.removeItem(AT_PROVIDER);
    return isAtProvider;
  } catch {
    return false;
  }
}

/** Completes a sign-in that began outside of the page: by a one-time code behind `#`, or at a provider. An unusable one leads to the sign-in. */
export async function startSignIn(): Promise<void> {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  // The code leaves the address, and with it the history.
  if (code !== undefined) history.replaceState(null, '', `${location.pathname}${location.search}`);
  try {
    if (code !== undefined) await ask('POST /auth/browser', { body: { code } });
    else if (takeProvider()) {
      const { access_token: accessToken } = await ask('POST /auth/refresh', {});
      await ask('POST /auth/browser', { body: { access_token: accessToken } });
    }
  } catch (error) {
    if (!(error instanceof AskError) || error.status === 0 || error.status >= 500) throw error;
  }
}
