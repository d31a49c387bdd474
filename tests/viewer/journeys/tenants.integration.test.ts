import { expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectAccessible, expectUsable, openAs, startJourney } from './support/browser.ts';

const instance = fileInstance();

test('adds a tenant, renames, suspends and resumes it, for operators only', async () => {
  const journey = await startJourney(instance);
  journey.allow(/status of (?:403|409|422)/);
  const { page } = journey;
  await openAs(journey, instance, '/tenants');
  const dialog = page.getByRole('dialog');
  await page.getByRole('cell', { name: 'Of the operators' }).waitFor();
  await page.getByRole('button', { name: 'Add a tenant' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Team North');
  await dialog.getByLabel('Username of its first admin').fill('Nora With Spaces');
  await dialog.getByRole('button', { name: 'Add a tenant' }).click();
  await dialog.getByRole('alert').waitFor();
  await expectAccessible(journey);
  await dialog.getByLabel('Username of its first admin').fill('nora');
  await dialog.getByRole('button', { name: 'Add a tenant' }).click();
  const command = await dialog.getByText(/^recollect join 'http/).textContent();
  const token = /#(rci_[\w-]+)/.exec(command ?? '')?.[1];
  await page.keyboard.press('Escape');
  const row = page.getByRole('row').filter({ hasText: 'Team North' });
  await row.getByText('Active').waitFor();
  await expectUsable(journey);
  await row.getByRole('button', { name: 'Rename' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Team South');
  await dialog.getByRole('button', { name: 'Save' }).click();
  const renamed = page.getByRole('row').filter({ hasText: 'Team South' });
  await renamed.getByRole('button', { name: 'Suspend' }).click();
  await dialog.getByRole('button', { name: 'Suspend' }).click();
  await renamed.getByText('suspended').waitFor();
  expect((await instance.post('/auth/invites/accept', { token }, null)).status).toBe(404);
  await expectUsable(journey);
  await renamed.getByRole('button', { name: 'Resume' }).click();
  await renamed.getByText('Active').waitFor();
  const accepted = await instance.post('/auth/invites/accept', { token }, null);
  expect(accepted.status).toBe(201);
  await renamed.getByRole('button', { name: 'Invite the first admin again' }).click();
  await page.getByRole('alert').getByText('CONFLICT').waitFor();

  const stranger = await instance.stranger({ role: 'admin' });
  await openAs(journey, instance, '/tenants?', stranger.key);
  await page.getByText('This page is for operators').waitFor();
  expect(await page.getByRole('link', { name: 'Tenants' }).count()).toBe(0);
});
