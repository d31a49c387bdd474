import { beforeAll, expect, test } from 'vitest';
import { daysAgo, makeOldSession } from '../../activities/retention/support/old-rows.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectUsable, openAs, startJourney } from './support/browser.ts';

const instance = fileInstance();

beforeAll(async () => {
  await instance.startWorker();
  for (const days of [2, 3, 400]) await makeOldSession(instance, instance.admin, { at: daysAgo(days), rows: 2 });
});

test('shows costs by day and group, as chart and table, with the return on figures of the user', async () => {
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/costs');
  // The local model is free.
  await page.getByRole('img', { name: 'Tokens by UTC day' }).waitFor();
  await page.getByLabel('Unit').selectOption('Dollars');
  await page.getByLabel('Split by').selectOption('Session');
  expect(new URL(page.url()).search).toBe('?by=session&unit=usd');
  await page.getByRole('region', { name: 'Session' }).getByRole('link').first().waitFor();
  await page.getByRole('button', { name: 'Show as table' }).first().click();
  await page.getByRole('region', { name: 'Dollars by UTC day' }).getByRole('row').nth(1).waitFor();
  await page.getByLabel('Minutes saved by a used memory').fill('x');
  await page.getByText('a number from 0 on').waitFor();
  await page.getByLabel('Minutes saved by a used memory').fill('2');
  await page.getByText('a number from 0 on').waitFor({ state: 'detached' });
  await page.getByText('Minutes saved', { exact: true }).waitFor();
  await expectUsable(journey);
});

test('cancels a job, retries it by a key, and pauses and runs a schedule', async () => {
  await captured(instance, smallSession('running').slice(0, 3));
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/jobs?kind=session');
  const rows = page.getByRole('group', { name: 'Jobs' }).getByRole('listitem');
  const row = rows.filter({ hasText: 'Session without a title' });
  await row.waitFor();
  await row.getByRole('button', { name: 'Cancel the job' }).click();
  const dialog = page.getByRole('dialog');
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Cancel the job' }).click();
  await dialog.waitFor({ state: 'detached' });
  await row.getByText('Cancelled', { exact: true }).waitFor();
  await expectUsable(journey);
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await page.getByText('The job was started again').waitFor();
  await row.getByText('Cancelled', { exact: true }).waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');
  await dialog.getByText('Id', { exact: false }).first().waitFor();
  expect(new URL(page.url()).search).toMatch(/job=session\./);
  await page.keyboard.press('Escape');

  await page.getByRole('tab', { name: 'Schedules' }).click();
  const schedule = page.getByRole('region', { name: 'transcripts', exact: true });
  await schedule.getByRole('button', { name: 'Pause' }).click();
  await dialog.getByLabel('Reason').fill('the disk is full');
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await schedule.getByText('the disk is full').waitFor();
  await schedule.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('A run was started').waitFor();
  await schedule.getByRole('button', { name: 'Resume' }).click();
  await schedule.getByText('Active', { exact: true }).waitFor();
  await expectUsable(journey);
});

test('applies a retention policy only after its dry run was approved, and refuses the approval of other policies', async () => {
  const journey = await startJourney(instance);
  journey.allow(/status of 409/);
  const { page } = journey;
  await openAs(journey, instance, '/keep?tab=retention');
  const dialog = page.getByRole('dialog');
  const addPolicy = async (days: string): Promise<void> => {
    await page.getByRole('button', { name: 'Add a policy' }).click();
    await dialog.getByLabel('Kind').selectOption('Prompts');
    await dialog.getByLabel('Action').selectOption('Delete');
    await dialog.getByLabel('Age in days').fill(days);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText(`${days} days`).first().waitFor();
  };
  await addPolicy('90');
  await page.getByText('The policies below are not approved').waitFor();
  await page.getByRole('button', { name: 'Start a dry run' }).click();
  await page.getByRole('button', { name: 'Review and approve' }).first().click();
  await dialog.getByText('delete: Prompts').first().waitFor();
  await expectAccessible(journey);
  // Another admin changes the policies while the report is read.
  const policy = { resource: 'prompt', age_days: 30, action: 'delete' };
  expect((await instance.put('/admin/retention/policies', { policies: [policy] })).status).toBe(200);
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.getByText('CONFLICT').waitFor();
  await page.keyboard.press('Escape');
  await dialog.getByText('Start another dry run').waitFor();
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Start a dry run' }).click();
  await page.getByRole('button', { name: 'Review and approve' }).first().click();
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('The policies below are approved').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Apply now' }).click();
  await expect.poll(() => instance.count("prompts WHERE created_at < now() - interval '90 days'")).toBe(0);
  await expectUsable(journey);

  await page.getByRole('tab', { name: 'Legal holds' }).click();
  await page.getByRole('button', { name: 'Add a legal hold' }).click();
  await dialog.getByLabel('Reason').fill('case 12');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('cell', { name: 'case 12' }).waitFor();
  await expectUsable(journey);
  await page.getByRole('button', { name: 'Release' }).click();
  await dialog.getByRole('button', { name: 'Release' }).click();
  await page.getByText('There is no legal hold').waitFor();
});

test('offers a viewer nothing that changes data', async () => {
  const viewer = await instance.user({ role: 'viewer', scopes: ['read'] });
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/jobs', viewer.key);
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  expect(await page.getByRole('tab').count()).toBe(0);
  expect(await page.getByRole('button', { name: /Retry|Cancel the job/ }).count()).toBe(0);
  await page.goto('/keep?tab=backups');
  await page.getByRole('tab', { name: 'Archives' }).waitFor();
  expect(await page.getByRole('tab', { name: /Backups|Retention|Legal/ }).count()).toBe(0);
  expect((await instance.post('/admin/backup', undefined, viewer.key)).status).toBe(403);
});
