import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { takeSample } from '../../../stores/postgres/statistics/instance-samples.ts';
import { measureMachine } from '../../../telemetry/process-metrics.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectUsable, openAs, startJourney } from './support/browser.ts';

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' });
const instance = fileInstance({ RECOLLECT_BACKUP_SIGNING_KEY: signingKey.toString('base64') });

beforeAll(async () => {
  await instance.startWorker();
});

test('changes settings of the browser and the tenant, shows health, ends another sign-in, replaces a key', async () => {
  // A replaced key ends, and such a key may not invite.
  const { key } = await instance.user({ role: 'admin' });
  const other = await startJourney(instance);
  await openAs(other, instance, '/settings', key);
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/settings', key);
  await page.getByLabel('Theme').selectOption('Dark theme');
  expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  await page.getByLabel('Theme').selectOption('Theme of the system');
  await page.getByRole('button', { name: 'End', exact: true }).first().click();
  await page.getByText('The sign-in was ended').waitFor();
  await expectUsable(journey);
  await page.getByRole('button', { name: 'Replace' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
  await page.getByText('The key is shown once').waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Escape');
  await other.page.reload();
  await other.page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();

  // The worker may take a sample at any time: while the page is read, it waits.
  const lock = await instance.db.superuser.connect();
  try {
    // Also between the two statements.
    do
      await lock.query(
        'ROLLBACK; BEGIN; TRUNCATE instance_samples; COMMIT; BEGIN; LOCK TABLE instance_samples IN SHARE MODE',
      );
    while ((await instance.count('instance_samples')) > 0);
    await page.getByRole('tab', { name: 'Health' }).click();
    await page.getByRole('cell', { name: 'PostgreSQL' }).waitFor();
    await page.getByText('There is no sample yet').waitFor();
    await expectUsable(journey);
  } finally {
    await lock.query('ROLLBACK');
    lock.release();
  }
  await page.getByRole('tab', { name: 'Tenant' }).click();
  const globs = page.getByLabel('Globs of folders');
  await globs.fill('/home/*/private/**');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The setting is saved').waitFor();
  const { body } = await instance.get('/admin/settings');
  expect(JSON.stringify(body)).toContain('/home/*/private/**');
  await expectUsable(journey);
});

test('shows operators the last day of the instance, as charts and tables', async () => {
  const slot = () => instance.text("SELECT date_bin('5 minutes', now(), 'epoch')::text AS value");
  // Again if five minutes ended meanwhile: charts show no rate over a gap.
  for (let began = ''; began !== (await slot());) {
    began = await slot();
    await instance.db.superuser.query('TRUNCATE instance_samples');
    for (const slots of [2, 1, 0]) {
      await takeSample(instance.db.maintenance, measureMachine, Date.now());
      await untilTrue(async () => (await instance.count("instance_samples WHERE source <> 'worker'")) > 2 - slots);
      if (slots > 0)
        await instance.db.superuser.query(
          "UPDATE instance_samples SET slot = slot - interval '5 minutes', taken_at = taken_at - interval '5 minutes'",
        );
    }
  }
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/settings?tab=health');
  const day = page.locator('section').filter({ has: page.getByRole('heading', { name: 'The last day' }) });
  for (const name of [
    'Events per second',
    'Wait of the oldest row',
    'Waiting work',
    'Memory',
    'Cost of model requests',
  ])
    await day.getByRole('img', { name }).waitFor();
  await day.getByText('Last backup').waitFor();
  await expectUsable(journey);
  await day.getByRole('button', { name: 'Show as table' }).first().click();
  // Three samples have two rates between them.
  await expect.poll(() => day.getByRole('region', { name: 'Events per second' }).getByRole('row').count()).toBe(3);
  await expectUsable(journey);

  const stranger = await instance.stranger({ role: 'admin' });
  const other = await startJourney(instance);
  await openAs(other, instance, '/settings?tab=health', stranger.key);
  await other.page.getByRole('cell', { name: 'PostgreSQL' }).waitFor();
  expect(await other.page.getByRole('heading', { name: 'The last day' }).count()).toBe(0);
});

test('renames a project, adds an alias, and merges it with the counts of what moves', async () => {
  await captured(instance, smallSession('first', { path: '/src/first' }).slice(0, 3));
  await captured(instance, smallSession('second', { path: '/src/second' }).slice(0, 3));
  const journey = await startJourney(instance);
  journey.allow(/status of 409/);
  const { page } = journey;
  await openAs(journey, instance, '/projects');
  await page.getByRole('group', { name: 'Projects' }).getByRole('listitem').nth(1).waitFor();
  await expectUsable(journey);
  await page.getByRole('link', { name: 'first' }).click();
  await page.getByRole('heading', { level: 1, name: 'first' }).waitFor();
  await page.getByLabel('Name').fill('Renamed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'Renamed' }).waitFor();
  await page.getByLabel('New alias').fill('/src/second');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('alert').getByText('CONFLICT').waitFor();
  await page.getByLabel('New alias').fill('/src/other');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('/src/other').waitFor();
  await expectUsable(journey);
  await page.getByLabel('Other project').selectOption('second');
  await page.getByRole('button', { name: 'Merge into another project' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Sessions that move').waitFor();
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Merge into another project' }).click();
  await page.getByRole('heading', { level: 1, name: 'second' }).waitFor();
  await page.getByText('2 sessions').waitFor();
  expect(await page.getByText('/src/other').count()).toBe(1);
});

test('invites a user once, creates and revokes a key, and finds both in the log', async () => {
  const journey = await startJourney(instance);
  journey.allow(/status of 4(?:09|22)/);
  const { page } = journey;
  await openAs(journey, instance, '/people');
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Add a user' }).click();
  await dialog.getByLabel('Username').fill('a name with spaces and <b>');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Username').fill('writer');
  await dialog.getByLabel('Role').selectOption('Viewer');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await dialog.getByText(/^recollect join 'http:\/\/127\.0\.0\.1:\d+\/#rci_/).waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Escape');
  const row = page.getByRole('row').filter({ hasText: 'writer' });
  await row.getByText('Viewer').waitFor();
  await expectUsable(journey);
  await row.getByRole('link', { name: 'API keys' }).click();
  await page.getByText('No key matches the filters').waitFor();
  await page.getByRole('button', { name: 'Remove the filters' }).click();
  await page.getByRole('button', { name: 'Create a key' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('build');
  await dialog.getByRole('button', { name: 'Create a key' }).click();
  await dialog.getByText(/^rcl_/).waitFor();
  await page.keyboard.press('Escape');
  const key = page.getByRole('row').filter({ hasText: 'build' });
  await key.getByRole('button', { name: 'Revoke' }).click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await key.waitFor({ state: 'detached' });
  await expectUsable(journey);

  await page.getByRole('tab', { name: 'Audit log' }).click();
  await page.getByLabel('Method and route').fill('DELETE /admin/api-keys/:id');
  await page.getByRole('row').nth(1).waitFor();
  await expect.poll(() => page.getByRole('row').count()).toBe(2);
  expect(new URL(page.url()).searchParams.get('action')).toBe('DELETE /admin/api-keys/:id');
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await page.getByText(/entries verified/).waitFor();
  await expectUsable(journey);
});

test('backs up, runs a drill and shows its comparison; offers a restore as a command', async () => {
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/keep');
  await page.getByText('There is no backup yet').waitFor();
  await page.getByRole('button', { name: 'Back up now' }).click();
  await page.getByRole('button', { name: 'Run a drill' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Run a drill' }).click();
  await page.getByText('The restored database equals the backup').waitFor();
  await page.getByText('Verified by a drill').waitFor();
  await page.getByText('Restore this backup').click();
  const command = await page.getByText(/^recollect restore \S+ --overwrite --wait$/).textContent();
  const { body } = await instance.get('/admin/backups');
  expect(JSON.stringify(body)).toContain(`"id":"${command?.split(' ')[2] ?? ''}"`);
  await expectUsable(journey);
  for (const tab of ['Consistency checks', 'Archives', 'Requests and receipts', 'Exports and imports']) {
    await page.getByRole('tab', { name: tab }).click();
    await page.getByRole('heading', { level: 2 }).first().waitFor();
    await expectUsable(journey);
  }
});
