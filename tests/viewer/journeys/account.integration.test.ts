import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { PASSWORD, withPassword } from '../../api/support/log-in.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { startHttpProxy } from '../../setup/http-proxy.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectUsable, openAs, startJourney } from './support/browser.ts';
import { ageProofs, enterPassword } from './support/log-in.ts';

const NEXT = 'another horse battery';
const instance = fileInstance();
beforeEach(() => instance.write('DELETE FROM auth_attempts'));

test('changes the password, which ends the other sign-ins; a wrong current one changes nothing', async () => {
  const user = await instance.user();
  const credentials = await withPassword(instance, user);
  const other = await startJourney(instance);
  await openAs(other, instance, '/settings', user.key);
  const journey = await startJourney(instance);
  journey.allow(/status of 422/);
  const { page } = journey;
  await page.goto('/settings');
  await enterPassword(page, credentials);
  const form = page.locator('form').filter({ hasText: 'New password' });
  const change = async (current: string, next: string, again: string): Promise<void> => {
    await form.getByLabel('Current password').fill(current);
    await form.getByLabel('New password', { exact: true }).fill(next);
    await form.getByLabel('New password again').fill(again);
    await form.getByRole('button', { name: 'Change the password' }).click();
  };
  await change('a wrong password', NEXT, NEXT);
  await page.getByRole('alert').getByText('INVALID_CREDENTIALS').waitFor();
  await change(PASSWORD, 'short', 'short');
  await page.getByRole('alert').getByText('VALIDATION_FAILED').waitFor();
  expect(await form.getByLabel('Current password').inputValue()).toBe(PASSWORD);
  await expectUsable(journey);
  await change(PASSWORD, NEXT, 'another horse');
  await form.getByText('is not the same').waitFor();
  await change(PASSWORD, NEXT, NEXT);
  await page.getByText('The password was changed').waitFor();
  await page.getByRole('region', { name: 'Sign-ins' }).getByText('this one').waitFor();
  await other.page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
  const { status } = await instance.post('/auth/login', { ...credentials, password: NEXT }, null);
  expect(status).toBe(200);
});

test('sets a first password by a key, after which the user signs in by it; a viewer’s key sets none', async () => {
  const user = await instance.user();
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/settings', user.key);
  await page.getByText('Sign in with a password to add one').first().waitFor();
  await page.getByLabel('New password', { exact: true }).fill(NEXT);
  await page.getByLabel('New password again').fill(NEXT);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
  const username = await instance.text('SELECT username AS value FROM users WHERE id = $1', [user.userId]);
  await enterPassword(page, { login: username, password: NEXT, tenant: '' });
  await page.getByRole('button', { name: 'Change the password' }).waitFor();

  const viewer = await instance.user({ role: 'viewer', scopes: ['read'] });
  await openAs(journey, instance, '/people', viewer.key);
  await page.getByText('This needs the scope admin').waitFor();
  await openAs(journey, instance, '/settings', viewer.key);
  await page.getByText('A key of a viewer sets no first password').waitFor();
  await expectUsable(journey);
  const agent = await instance.user({ scopes: ['read'] });
  await openAs(journey, instance, '/settings?tab=you', agent.key);
  await page.getByText('it does not manage your account').waitFor();
  expect(await page.getByRole('heading', { name: 'Password' }).count()).toBe(0);
});

test('ends another sign-in, revokes a client, and replaces a key after a proof in the dialog', async () => {
  const user = await instance.user({ scopes: ['capture', 'read', 'write'] });
  const credentials = await withPassword(instance, user);
  await instance.write(
    `INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_name, client_host, scopes, expires_at)
     VALUES ($1, $2, $3, 'client', 'Editor <b>', 'app.example.org', '{read}', now() + interval '1 day')`,
    [newId(), user.tenantId, user.userId],
  );
  const journey = await startJourney(instance);
  const { page } = journey;
  await page.goto('/settings');
  await enterPassword(page, credentials);
  const clients = page.getByRole('region', { name: 'Clients with access' });
  const row = clients.getByRole('row').filter({ hasText: 'Editor <b>' });
  await row.getByText('app.example.org').waitFor();
  await expectUsable(journey);
  const other = await startJourney(instance);
  await openAs(other, instance, '/settings', user.key);
  await page.reload();
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await other.page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();

  await ageProofs(journey, instance, user.userId);
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke the access' }).click();
  await page.getByText('No client has access').waitFor();
  await page.getByLabel('Show ended ones').check();
  await row.getByText('revoked', { exact: false }).first().waitFor();
  expect(new URL(page.url()).search).toBe('?ended=true');
  // Keys need the proof.
  await page.getByRole('button', { name: 'Replace' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await dialog.locator('input[type=password]').fill('a wrong password');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('INVALID_CREDENTIALS').waitFor();
  await dialog.locator('input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('The key is shown once').waitFor();
});

test('replaces a key in a sign-in by a key after the key is entered, or another sign-in of the browser', async () => {
  const user = await instance.user({ scopes: ['capture', 'read', 'write'] });
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/settings', user.key);
  const dialog = page.getByRole('dialog');
  const replace = async (): Promise<void> => {
    await ageProofs(journey, instance, user.userId);
    await page.getByRole('button', { name: 'Replace' }).click();
    await dialog.getByRole('button', { name: 'Replace' }).click();
    await dialog.getByText('recollect open').waitFor();
  };
  const replaced = async (): Promise<void> => {
    await page.getByText('The key is shown once').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  };
  // With the text itself: the next key may come before the page is drawn.
  await page.evaluate(`globalThis.hasFocus = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      const field = document.querySelector('dialog form input');
      if (field !== null) resolve(document.activeElement === field);
    });
    observer.observe(document.body, { childList: true, subtree: true });
  }); undefined`);
  await replace();
  expect(await page.evaluate('globalThis.hasFocus')).toBe(true);
  await page.keyboard.type('rcl_wrong');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('INVALID_API_KEY').waitFor();
  await expectUsable(journey);
  await dialog.getByLabel('API key').fill(user.key);
  await page.keyboard.press('Enter');
  await replaced();

  await replace();
  const tab = await page.context().newPage();
  await openAs({ page: tab }, instance, '/sessions', user.key);
  await tab.close();
  await dialog.getByRole('button', { name: 'Try again' }).click();
  await replaced();
  expect(await instance.count('api_keys WHERE user_id = $1', [user.userId])).toBe(3);
});

test('stays signed in, in all tabs, when a proof replaces the cookie while requests with the former one are under way', async () => {
  const user = await instance.user({ scopes: ['capture', 'read', 'write'] });
  const credentials = await withPassword(instance, user);
  const listed = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const proven = Promise.withResolvers<void>();
  const proxy = await startHttpProxy(instance.url, {
    delays: ({ url = '', method }, status) => {
      if (url.startsWith('/api/v1/stream/events') && status === 401) refused.resolve();
      // The list is requested with the former cookie; the new one arrives after the stream was refused.
      if (url.startsWith('/api/v1/sessions') && status === null) {
        listed.resolve();
        return proven.promise;
      }
      const isProof = method === 'POST' && url === '/api/v1/auth/step-up' && status === 200;
      return isProof ? refused.promise.then(proven.resolve) : undefined;
    },
  });
  onTestFinished(() => proxy.close());
  const journey = await startJourney({ url: proxy.url });
  const { page } = journey;
  await page.goto('/settings');
  await enterPassword(page, credentials);
  await page.getByRole('button', { name: 'Replace' }).first().waitFor();
  const tab = await page.context().newPage();
  await tab.goto('/sessions');
  await listed.promise;

  await ageProofs(journey, instance, user.userId);
  await page.getByRole('button', { name: 'Replace' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await dialog.locator('input[type=password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('The key is shown once').waitFor();
  await tab.getByText('recollect install claude-code').waitFor();
  // The tab follows the stream again.
  await captured(instance, smallSession('after the proof').slice(0, 3), user.key);
  await tab.getByRole('group', { name: 'Sessions' }).getByRole('listitem').waitFor();
  expect(await instance.count('api_keys WHERE user_id = $1', [user.userId])).toBe(2);
});
