import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { stepAt, totpCode } from '../../../../domain/totp.ts';
import { secretBytes } from '../../../api/support/log-in.ts';
import type { TestInstance } from '../../../setup/instance.ts';
import type { Journey } from './browser.ts';

/** What a person enters to log in. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
  readonly tenant: string;
}

/** Enters name and password on the sign-in of the page and sends them. */
export async function enterPassword(page: Page, { login, password, tenant }: Credentials): Promise<void> {
  await page.getByRole('tab', { name: 'Password' }).click();
  await page.getByLabel('Username or email address').fill(login);
  await page.locator('input[type=password]').fill(password);
  await page.getByLabel('Tenant').fill(tenant);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Signs the user of the page out, on the page of the settings. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
}

/** Returns the code of an authenticator, so many time steps of 30 s from now: the server accepts the one before and the one after, each once. Not the one before: it may have ended when it arrives. */
export function codeOf(secret: string, steps: number): string {
  return totpCode(secretBytes(secret), stepAt(Date.now()) + steps);
}

/** Sets the proofs of a user to be older than the five minutes for which they count; returns when the page is treated so. */
export async function ageProofs(
  { page, allow }: Pick<Journey, 'page' | 'allow'>,
  instance: Pick<TestInstance, 'write'>,
  userId: string,
): Promise<void> {
  // What needs a proof is refused once.
  allow(/status of 403/);
  await instance.write(
    "UPDATE user_sessions SET authenticated_at = now() - interval '6 minutes', mfa_at = mfa_at - interval '6 minutes' WHERE user_id = $1",
    [userId],
  );
  const isProven = `fetch('/api/v1/auth/me').then((answer) => answer.json()).then(({ session }) => Date.parse(session.proven_until) > Date.now())`;
  await expect.poll(() => page.evaluate(isProven)).toBe(false);
}

/** Gives the browser of a page an authenticator for passkeys that verifies its user at once. */
export async function addAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}
