import { afterAll, beforeAll, expect, test } from 'vitest';
import { settled } from '../../setup/demo-session.ts';
import { given } from '../../api/support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectNoSidewaysScroll, openAs, startJourney } from './support/browser.ts';

const instance = fileInstance();
let stop: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  stop = await instance.startWorker();
});
afterAll(() => stop());

test('shows what happens as it happens, only what matches a filter, and jumps to a day', async () => {
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/timeline');
  await page.getByText('recollect install claude-code').waitFor();
  await captured(instance, smallSession('timeline'));
  const items = page.getByRole('group', { name: 'Timeline' }).locator('.row');
  await items.filter({ hasText: 'Session ended' }).first().waitFor();
  await items.filter({ hasText: 'Summary' }).first().waitFor();
  await expectAccessible(journey);

  await page.getByLabel('Type').selectOption('Message');
  await expect.poll(() => items.count()).toBe(2);
  await captured(instance, smallSession('timeline-2').slice(0, 3));
  await expect.poll(() => items.count()).toBe(3);
  expect(await items.allTextContents()).not.toContainEqual(expect.stringContaining('Tool call'));
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.row.active').getByText('half even').first().waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/sessions\//);
  await page.goBack();
  await items.first().waitFor();
  expect(new URL(page.url()).search).toBe('?type=prompt');

  await page.getByLabel('Up to this day').fill('2026-01-31');
  await page.getByText('Nothing matches the filters').waitFor();
  expect(new URL(page.url()).search).toBe('?type=prompt&day=2026-01-31');
  await expectAccessible(journey);
  await page.getByRole('button', { name: 'Back to the newest' }).click();
  const strip = page.getByRole('group', { name: 'Days of the last months' });
  await strip.getByRole('button', { name: /: [1-9]\d* items?$/ }).focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing matches the filters').waitFor();
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto('/timeline');
  await items.first().waitFor();
  await expectNoSidewaysScroll(journey);
});

test('previews a context without serving it, and shows what a session was served and whether it was used', async () => {
  await captured(instance, smallSession('context'));
  await settled(instance, 'test:context');
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/context');
  await page.getByLabel('Budget in tokens').fill('20');
  await page.getByLabel('Project').fill('/src/small');
  await page.getByLabel('Budget in tokens').fill('400');
  await page.getByRole('main').getByRole('button', { name: 'Preview' }).click();
  await page
    .getByText(/of 400 tokens$/)
    .first()
    .waitFor();
  expect(new URL(page.url()).searchParams.get('budget')).toBe('400');
  await page.getByRole('button', { name: /^Text/ }).first().click();
  await page.getByRole('link', { name: 'Show where it is from' }).first().waitFor();
  await expectAccessible(journey);
  await page.getByRole('tab', { name: 'Served' }).click();
  await page.getByText('No context was served yet').waitFor();

  const ledger = await given(instance, 'The ledger is append only', { project: '/src/small' });
  const body = { purpose: 'session_start', project: '/src/small', session_id: 'test:context' };
  expect((await instance.call('POST', '/context', { body })).status).toBe(200);
  await instance.write("UPDATE learnings SET valid_to = now(), reason = 'outdated' WHERE id = $1", [ledger.id]);
  await page.goto(`/sessions/${encodeURIComponent('test:context')}?tab=context`);
  await page.getByText('no sign of use').waitFor();
  await page.getByRole('button', { name: /^Session start/ }).click();
  await page
    .getByRole('button', { name: /^Useful/ })
    .first()
    .click();
  await page.getByText('used', { exact: true }).waitFor();
  const closed = page.getByRole('listitem').filter({ hasText: 'The ledger is append only' });
  await closed.getByText('closed since').waitFor();
  await closed.getByRole('button', { name: /^Text/ }).click();
  const address = await closed.getByRole('link', { name: 'Show where it is from' }).getAttribute('href');
  expect(address).toBe(`/learnings/${ledger.id}`);
  await page
    .getByRole('button', { name: /^Useful/, disabled: true })
    .first()
    .waitFor();
  await expectAccessible(journey);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(journey);
});
