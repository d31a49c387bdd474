import { expect, test } from 'vitest';
import { join, makeKey } from '../../api/support/access.ts';
import { given } from '../../api/support/learnings.ts';
import { withPassword } from '../../api/support/log-in.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectAccessible, expectUsable, openAs, startJourney } from './support/browser.ts';
import { ageProofs, enterPassword } from './support/log-in.ts';

const instance = fileInstance();

test('transfers the learnings of a user who leaves after counting them, and resets second factors', async () => {
  const [leaver, nora] = [await join(instance, 'leaver'), await join(instance, 'nora')];
  await given(instance, 'Owls hunt at night', {}, { key: leaver.api_key });
  await given(instance, 'Foxes hunt at dusk', {}, { key: leaver.api_key });
  const admin = await instance.user({ role: 'admin' });
  const credentials = await withPassword(instance, admin);
  const journey = await startJourney(instance);
  journey.allow(/status of 404/);
  const { page } = journey;
  await page.goto('/people?search=leaver');
  await enterPassword(page, credentials);
  const row = page.getByRole('row').filter({ hasText: 'leaver' });
  const dialog = page.getByRole('dialog');
  await row.waitFor();
  await ageProofs(journey, instance, admin.userId);
  await row.getByRole('button', { name: 'Transfer the learnings' }).click();
  const to = dialog.getByLabel('New owner');
  await to.fill('unknown');
  await page.keyboard.press('Enter');
  await dialog.locator('input[type=password]').fill(credentials.password);
  // What is shown is sent after the proof.
  expect(await to.isDisabled()).toBe(true);
  await page.keyboard.press('Enter');
  await dialog.getByText('NOT_FOUND').waitFor();
  expect(await to.inputValue()).toBe('unknown');
  await to.fill('nora');
  await page.keyboard.press('Enter');
  await dialog.getByText('Current learnings by hand').waitFor();
  const counts = await dialog.getByRole('definition').allTextContents();
  expect(counts).toEqual(['0', '2', '0', '0']);
  await expectUsable(journey);
  // Another owner is counted again.
  await to.fill('nor');
  expect(await dialog.getByRole('button', { name: 'Transfer the learnings' }).count()).toBe(0);
  await to.fill('nora');
  await page.keyboard.press('Enter');
  expect(await instance.count('learnings WHERE user_id = $1', [nora.id])).toBe(0);
  await dialog.getByRole('button', { name: 'Transfer the learnings' }).click();
  await page.getByText('2 current learnings belong to nora now').waitFor();
  expect(await instance.count('learnings WHERE user_id = $1', [nora.id])).toBe(2);

  await instance.write(
    "INSERT INTO passkeys (id, tenant_id, user_id, credential_id, public_key, name, synced) SELECT gen_random_uuid(), tenant_id, id, 'id', 'key', 'laptop', false FROM users WHERE id = $1",
    [leaver.id],
  );
  await row.getByRole('button', { name: 'Reset the second factors' }).click();
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Reset the second factors' }).click();
  await page.getByText('The second factors were removed').waitFor();
  expect(await instance.count('passkeys WHERE user_id = $1', [leaver.id])).toBe(0);
  await expectUsable(journey);
});

test('the audit log shows names beside the ids that its filters use', async () => {
  const person = await join(instance, 'named');
  const { key } = await makeKey(instance, { name: 'ci <b>runner</b>', scopes: ['read'] });
  await instance.delete(`/admin/api-keys/${key.id}`);
  await instance.get(`/admin/users/${person.id}`);
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/people?tab=audit&action=GET+%2Fadmin%2Fusers%2F%3Aid');
  const row = page.getByRole('row').filter({ hasText: person.id });
  await row.getByText('named', { exact: true }).waitFor();
  await expectUsable(journey);
  await page.getByLabel('Method and route').fill('DELETE /admin/api-keys/:id');
  const revoked = page.getByRole('row').filter({ hasText: key.id });
  await revoked.waitFor();
  expect(await revoked.textContent()).toContain(`api-keys ci <b>runner</b> ${key.id}`);
});

test('an edited email address leaves what another admin changed since the list was read', async () => {
  const user = await join(instance, 'edited');
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/people?search=edited');
  const row = page.getByRole('row').filter({ hasText: 'edited' });
  await row.waitFor();
  await instance.write("UPDATE users SET role = 'viewer', active = false WHERE id = $1", [user.id]);
  await row.getByRole('button', { name: 'Change' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Email').fill('edited@example.org');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const stored = await instance.rows('SELECT role, active, email FROM users WHERE id = $1', [user.id]);
  expect(stored).toEqual([{ role: 'viewer', active: false, email: 'edited@example.org' }]);
});
