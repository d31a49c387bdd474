import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { startOidcProvider } from '../../api/support/oidc-provider.ts';
import type { TestProvider } from '../../api/support/oidc-provider.ts';
import { withPassword } from '../../api/support/log-in.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { freePort } from '../../setup/worker-process.ts';
import { expectAccessible, expectUsable, startJourney } from './support/browser.ts';
import { addAuthenticator, ageProofs, codeOf, enterPassword, signOut } from './support/log-in.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-sign-in-'));
let origin = '';
let company: TestProvider;

/** At an address with a name, to which browsers bind passkeys. */
const instance = fileInstance(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  company = await startOidcProvider([`${origin}/api/v1/auth/oidc/company/callback`]);
  const file = path.join(folder, 'providers.json');
  const { issuer, clientId, clientSecret } = company;
  const client = { issuer, client_id: clientId, client_secret: clientSecret };
  writeFileSync(file, JSON.stringify([{ name: 'company', label: 'Company', ...client, allow_any_user: true }]));
  return {
    RECOLLECT_HTTP_PORT: String(port),
    RECOLLECT_PUBLIC_URL: origin,
    RECOLLECT_OIDC_PROVIDERS_FILE: file,
  };
});
afterAll(async () => {
  await company.close();
  rmSync(folder, { recursive: true, force: true });
});

// All tests log in from one address.
beforeEach(() => instance.write('DELETE FROM auth_attempts'));

/** Opens the sign-in, at the address of a page that continues after it. */
async function atSignIn(address = '/settings') {
  const journey = await startJourney({ url: origin });
  await journey.page.goto(address);
  await journey.page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
  return journey;
}

/** Opens the settings of a new user who is signed in by a password. */
async function signedIn() {
  const user = await instance.user();
  const credentials = await withPassword(instance, user);
  const journey = await atSignIn();
  await enterPassword(journey.page, credentials);
  await journey.page.getByRole('heading', { name: 'Account' }).waitFor();
  return { journey, page: journey.page, credentials, userId: user.userId };
}

test('signs in by a password and shows the page of the address; a refused one leaves what was entered', async () => {
  const credentials = await withPassword(instance, await instance.user());
  const journey = await atSignIn('/sessions?status=ended');
  const { page } = journey;
  await enterPassword(page, { ...credentials, password: 'a wrong password' });
  await page.getByRole('alert').getByText('INVALID_CREDENTIALS').waitFor();
  const entered = await page.evaluate("[...document.querySelectorAll('form input')].map(({ value }) => value)");
  expect(entered).toEqual([credentials.login, 'a wrong password', credentials.tenant]);
  await expectUsable(journey);
  await page.locator('input[type=password]').fill(credentials.password);
  await page.keyboard.press('Enter');
  await page.getByText('No session matches the filters').waitFor();
  expect(new URL(page.url()).search).toBe('?status=ended');
});

test('sets up an authenticator, signs in by a code and by a recovery code, and removes it after a proof in the dialog', async () => {
  const { journey, page, credentials, userId } = await signedIn();
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Set up an authenticator' }).click();
  await dialog.getByText('otpauth://totp/').waitFor();
  const secret = (await dialog.locator('code').first().textContent()) ?? '';
  await expectUsable(journey);
  const code = dialog.getByLabel('First code of the authenticator');
  await code.fill(codeOf(secret, 9));
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('INVALID_CREDENTIALS').waitFor();
  await code.fill(codeOf(secret, 0));
  await page.keyboard.press('Enter');
  await dialog.getByText('They are shown once').waitFor();
  const recovery = await dialog.getByRole('listitem').allTextContents();
  expect(recovery).toHaveLength(10);
  await expectUsable(journey);
  await dialog.getByRole('button', { name: 'I have stored them' }).click();
  await page.getByText('10 unused recovery codes').waitFor();
  await expectUsable(journey);

  await signOut(page);
  await enterPassword(page, credentials);
  await page.getByLabel('Code of your authenticator').fill(codeOf(secret, 1));
  await expectAccessible(journey);
  await page.keyboard.press('Enter');
  await page.getByText('10 unused recovery codes').waitFor();
  await signOut(page);
  await enterPassword(page, credentials);
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill(recovery[0] ?? '');
  await page.keyboard.press('Enter');
  await page.getByText('9 unused recovery codes').waitFor();

  await ageProofs(journey, instance, userId);
  await page.getByRole('button', { name: 'Remove the authenticator' }).click();
  await dialog.getByRole('button', { name: 'Remove the authenticator' }).click();
  await dialog.getByLabel('Code of your authenticator').fill(codeOf(secret, 9));
  await expectAccessible(journey);
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('INVALID_CREDENTIALS').waitFor();
  await dialog.getByRole('button', { name: 'Use a recovery code' }).click();
  await dialog.getByLabel('Recovery code').fill(recovery[1] ?? '');
  await page.keyboard.press('Enter');
  await page.getByText('The authenticator was removed').waitFor();
  await page.getByText('You have no authenticator').waitFor();
  expect(await instance.count('mfa_totp WHERE user_id = $1', [userId])).toBe(0);
});

test('adds a passkey, signs in by it, proves the identity by it, renames and removes it', async () => {
  const { journey, page, userId } = await signedIn();
  journey.allow(/status of 422/);
  const dialog = page.getByRole('dialog');
  await addAuthenticator(page);
  await page.getByLabel('Name of the passkey').fill('laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const row = page.getByRole('row').filter({ hasText: 'laptop' });
  await row.waitFor();
  await expectUsable(journey);
  // The device has one of this user.
  await page.getByLabel('Name of the passkey').fill('laptop again');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('The browser created no passkey').waitFor();
  // The passkey is a second factor, also of the sign-in by password that added it.
  await ageProofs(journey, instance, userId);
  await page.getByLabel('Name of the passkey').fill('phone');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await page.getByText('The browser created no passkey').waitFor();
  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await row.waitFor();
  await ageProofs(journey, instance, userId);
  await row.getByRole('button', { name: 'Rename' }).click();
  expect(await dialog.getByLabel('New name').getAttribute('maxlength')).toBe('64');
  await dialog.getByLabel('New name').fill(' ');
  await page.keyboard.press('Enter');
  await dialog.getByText('must have 1 to 64 characters', { exact: true }).waitFor();
  await expectAccessible(journey);
  await dialog.getByLabel('New name').fill('work laptop');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await row.filter({ hasText: 'work laptop' }).waitFor();
  await row.getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('button', { name: 'Remove the passkey' }).click();
  await dialog.getByRole('button', { name: 'Confirm with a passkey' }).waitFor();
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await page.getByText('You have no passkey').waitFor();
  await dialog.waitFor({ state: 'detached' });
  expect(await instance.count('passkeys WHERE user_id = $1', [userId])).toBe(0);
});

test('signs in at a provider, which returns to the page of the address, and proves the identity there', async () => {
  company.account = { sub: 'subject', preferred_username: 'writer' };
  const journey = await atSignIn('/settings?revoked=true');
  journey.allow(new RegExp(`^request to ${company.issuer}/`));
  const { page } = journey;
  await page.getByRole('button', { name: 'Sign in with Company' }).click();
  await page.getByRole('heading', { name: 'Account' }).waitFor();
  expect(page.url()).toBe(`${origin}/settings?revoked=true`);
  const userId = await instance.text("SELECT id AS value FROM users WHERE username = 'writer'");
  await page.getByRole('cell', { name: 'oidc' }).waitFor();
  await addAuthenticator(page);
  await ageProofs(journey, instance, userId);
  const add = async (): Promise<void> => {
    await page.getByLabel('Name of the passkey').fill('laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
  };
  await add();
  // The page returns to the address that it has: only its next load shows the return.
  const returned = page.waitForEvent('load');
  await page.getByRole('button', { name: 'Confirm at Company' }).click();
  await returned;
  await page.waitForURL(`${origin}/settings?revoked=true`);
  await add();
  await page.getByRole('row').filter({ hasText: 'laptop' }).waitFor();
});
