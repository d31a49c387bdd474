import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { learningDetail } from '../../../contract/learnings.ts';
import { bodyOf } from '../../api/support/answers.ts';
import { closedPort } from '../../api/support/closed-port.ts';
import { given } from '../../api/support/learnings.ts';
import { demoHooks, finished, replay } from '../../setup/demo-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectNoSidewaysScroll, openAs, startJourney } from './support/browser.ts';
import { HOSTILE } from './support/hostile.ts';

const instance = fileInstance();
let degraded: TestInstance | undefined;
let evidence: readonly { row_id: string; quote: string }[];

beforeAll(async () => {
  const stopWorker = await instance.startWorker();
  await captured(instance, smallSession('reviewed'));
  await replay(instance, demoHooks());
  await finished(instance, `claude-code:${demoHooks()[0]?.session_id ?? ''}`);
  await stopWorker();
  const row_id = await instance.text("SELECT id AS value FROM prompts WHERE content LIKE 'Please make%' LIMIT 1");
  evidence = [{ row_id, quote: 'half even' }];
}, 240_000);

afterAll(() => degraded?.close());

/** Types a reason, once the dialog has the focus: before, letters are keys of the page. */
async function typedReason(page: Page, reason: string): Promise<void> {
  await page.locator('dialog textarea:focus').waitFor();
  await page.keyboard.type(reason);
}

test('reviews learnings by keyboard alone: verify, invalidate, undo, open, correct, invalidate, reopen', async () => {
  for (const [confidence, words] of [
    [0.9, 'Money is rounded half even'],
    [0.8, `Invoices are in cents ${HOSTILE}`],
    [0.7, 'Tests run by npm test'],
  ] as const)
    await given(instance, words, { tags: ['keys'], confidence, evidence });
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/learnings?tag=keys');
  const rows = page
    .getByRole('group', { name: 'Learnings' })
    .getByRole('listitem')
    .filter({ has: page.getByRole('article') });
  const count = (text: string) => page.getByRole('status').getByText(text, { exact: true }).waitFor();
  await count('3 learnings');
  await page.getByText('half even', { exact: true }).first().waitFor();
  await page.getByText('U+202E').first().waitFor();
  await expectAccessible(journey);

  await page.keyboard.press('j');
  await page.keyboard.press('v');
  await count('2 learnings');
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  await page.keyboard.press('u');
  await count('3 learnings');
  const versions = () => instance.rows("SELECT version, verified_at FROM learnings WHERE 'keys' = ANY (tags)");
  await expect.poll(versions).toEqual([1, 2, 3].map(() => ({ version: 1, verified_at: null })));
  await page.keyboard.press('k');
  await page.keyboard.press('v');
  await count('2 learnings');
  // The next one is active now.
  await page.keyboard.press('x');
  await page.getByRole('dialog').waitFor();
  await expectAccessible(journey);
  await typedReason(page, 'amounts are in dollars');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await count('1 learning');
  await page.getByText('Invalidated').waitFor();
  await page.keyboard.press('u');
  await count('2 learnings');
  expect(await rows.count()).toBe(2);

  await page.keyboard.press('/');
  await page.keyboard.type('npm');
  await count('1 learning');
  await page.keyboard.press('Tab');
  await page.getByRole('group', { name: 'Learnings' }).focus();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Tests run by npm test' }).waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('c');
  await page.getByLabel('Description').fill('Tests run by npm test, on two cores');
  await expectAccessible(journey);
  await page.getByRole('button', { name: 'Save as a new version' }).press('Enter');
  await page.getByText('Tests run by npm test, on two cores').waitFor();
  // The event of the change may precede the answer, which closes the dialog and shows the new version.
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  const shown = page.getByRole('listitem').filter({ has: page.getByText('shown', { exact: true }) });
  await shown.getByText('Version 2').waitFor();
  // The quote moved with it, and leads to its row.
  expect(await page.getByRole('link', { name: 'In the session' }).getAttribute('href')).toContain(
    `row=${evidence[0]?.row_id ?? ''}`,
  );
  await page.keyboard.press('x');
  await typedReason(page, 'the runner has four');
  await page.getByRole('dialog').getByRole('button', { name: 'Invalidate' }).press('Enter');
  // The page shows it before the server has closed it.
  await expect.poll(() => instance.count("learnings WHERE reason = 'the runner has four'")).toBe(1);
  await page.getByRole('button', { name: 'Reopen' }).press('Enter');
  await typedReason(page, 'it has two again');
  await page.getByRole('dialog').getByRole('button', { name: 'Reopen' }).press('Enter');
  await page.getByText('Version 3').waitFor();
  await page.getByText('it has two again').waitFor();
});

test('shows both texts to the second of two users who correct a learning, and replaces nothing before', async () => {
  const { id } = await given(instance, 'The cache expires after an hour', { tags: ['both'] });
  const journey = await startJourney(instance);
  journey.allow(/status of 409/);
  const { page } = journey;
  await openAs(journey, instance, `/learnings/${id}`);
  await page.getByRole('button', { name: 'Correct' }).click();
  await page.getByLabel('Description').fill('The cache expires after two hours');
  await instance.put(`/learnings/${id}`, { description: 'The cache expires after a day' });
  await page.getByRole('button', { name: 'Save as a new version' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByRole('region', { name: 'Current text' })
    .getByText('The cache expires after a day')
    .last()
    .waitFor();
  expect(await dialog.getByLabel('Description').inputValue()).toBe('The cache expires after two hours');
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Replace it by my text' }).click();
  await page.getByText('Version 3').waitFor();
  const { versions } = bodyOf(learningDetail, await instance.get(`/learnings/${id}`));
  expect(versions.map(({ description }) => description)).toEqual([
    'The cache expires after an hour',
    'The cache expires after a day',
    'The cache expires after two hours',
  ]);
});

test('changes many, names what was rejected, offers readers no change, and fits a small window', async () => {
  const first = await given(instance, 'Ports begin at 37700', { tags: ['many'] });
  await given(instance, 'Logs are JSON', { tags: ['many'] });
  const journey = await startJourney(instance, { viewport: { width: 320, height: 640 } });
  const { page } = journey;
  await openAs(journey, instance, '/learnings?tag=many');
  await page.getByRole('checkbox', { name: 'Select: Ports begin at 37700' }).check();
  await page.getByRole('checkbox', { name: 'Select: Logs are JSON' }).check();
  await expectNoSidewaysScroll(journey);
  await expectAccessible(journey);
  // Closed by another user between the press of the button and the request: before, the list would no longer have it.
  await page.route('**/learnings/batch', async (route) => {
    await instance.post(`/learnings/${first.id}/invalidate`, { reason: 'they begin elsewhere' });
    await route.continue();
  });
  await page.getByRole('group', { name: '2 selected' }).getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('alert').getByText('1 was rejected').waitFor();
  await page.getByText('1 changed').waitFor();
  await page.unroute('**/learnings/batch');
  await page.keyboard.press('u');
  await page.getByRole('checkbox', { name: 'Select: Logs are JSON' }).waitFor();
  const verified = () => instance.count("learnings WHERE 'many' = ANY (tags) AND verified_at IS NOT NULL");
  await expect.poll(verified).toBe(0);

  const reader = await instance.user({ role: 'viewer', scopes: ['read'] });
  const other = await startJourney(instance);
  await openAs(other, instance, '/learnings?tag=many&state=current', reader.key);
  await other.page.getByText('Logs are JSON').first().waitFor();
  expect(await other.page.getByRole('checkbox').count()).toBe(0);
  expect(await other.page.getByRole('button', { name: /Verify|Correct|Invalidate/ }).count()).toBe(0);
});

test('searches by keyboard, explains the results, narrows them in the address, and opens one', async () => {
  await given(instance, `Rounding of invoices ${HOSTILE}`, { tags: ['found'] });
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/search');
  await page.getByText('"host key verification"').waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('/');
  await page.keyboard.type('rounding invo');
  await page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option').first().waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Escape');
  await page.keyboard.type('ices half even');
  await page.keyboard.press('Enter');
  const results = page.getByRole('list', { name: 'Results' });
  await results.locator('mark').first().waitFor();
  expect(new URL(page.url()).searchParams.get('q')).toBe('rounding invoices half even');
  await page.keyboard.press('Tab');
  await page.getByRole('heading', { name: 'Search' }).click();
  await page.keyboard.press('e');
  await page.getByRole('heading', { name: 'How the query was understood' }).waitFor();
  await page.getByRole('cell', { name: 'keyword' }).waitFor();
  await results.getByText('rank 1', { exact: false }).first().waitFor();
  await expectAccessible(journey);
  await page.getByRole('group', { name: 'Type' }).getByRole('button', { name: 'Learning' }).click();
  // The next answer moves the buttons.
  await journey.calm();
  await page.getByRole('group', { name: 'Tag' }).getByRole('button', { name: 'found' }).click();
  await results.getByText('U+202E').first().waitFor();
  expect(new URL(page.url()).search).toBe('?q=rounding+invoices+half+even&type=learning&tags=found&explain=true');
  await page.reload();
  await page.getByText('1 result in').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Rounding of invoices' }).waitFor();
});

test('reports what a search lacked, and that nothing fits, in a small window', async () => {
  const running = await startTestInstance({
    RECOLLECT_WEAVIATE_URL: `http://127.0.0.1:${await closedPort()}`,
    RECOLLECT_WEAVIATE_GRPC_PORT: String(await closedPort()),
  });
  degraded = running;
  await given(running, 'Backups are copied at night');
  const journey = await startJourney(running, { viewport: { width: 320, height: 640 } });
  const { page } = journey;
  await openAs(journey, running, '/search?q=backups&explain=true');
  await page.getByText('by keywords only').waitFor();
  await page.getByText('Backups are copied at night').first().waitFor();
  await expectNoSidewaysScroll(journey);
  await page.getByLabel(/^Words/).fill('zirconium');
  await page.keyboard.press('Enter');
  await page.getByText(/^Nothing was found|none fits/).waitFor();
  expect(await page.getByRole('status').getByText('by keywords only').count()).toBe(1);
  await expectAccessible(journey);
});

test('shows the graph as a picture and a list, moves by arrows, and leads to the evidence', async () => {
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/graph');
  const picture = page.getByRole('listbox');
  await picture.getByRole('option').first().waitFor();
  await expectAccessible(journey);
  await picture.focus();
  await page.keyboard.press('ArrowRight');
  const selected = picture.getByRole('option', { selected: true });
  await selected.waitFor();
  const reached = new Set<string | null>();
  for (const key of ['ArrowLeft', 'ArrowDown', 'ArrowRight', 'ArrowUp']) {
    await page.keyboard.press(key);
    reached.add(await selected.getAttribute('id'));
  }
  expect(reached.size).toBeGreaterThan(1);
  const details = page.getByRole('region', { name: 'Selected node' });
  await details.getByRole('link').first().waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Enter');
  await page.getByText('Around one node').waitFor();
  await page.getByRole('button', { name: 'Show the highest weights' }).click();

  await page.getByRole('tab', { name: 'List' }).click();
  const rows = page.getByRole('list', { name: 'Nodes, highest weight first' }).locator('> li');
  await rows.first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await details.waitFor();
  await expectAccessible(journey);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(journey);
  await page.getByRole('tab', { name: 'Picture' }).click();
  await picture.waitFor();
  await expectNoSidewaysScroll(journey);
});
