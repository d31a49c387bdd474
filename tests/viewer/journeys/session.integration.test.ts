import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectNoSidewaysScroll, openAs, startJourney } from './support/browser.ts';
import type { Journey } from './support/browser.ts';
import { HOSTILE, HOSTILE_TEXTS } from './support/hostile.ts';

const instance = fileInstance();
let stop: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  stop = await instance.startWorker();
});
afterAll(() => stop());

const rowsOf = ({ page }: Journey) => page.getByRole('group', { name: 'Rows' }).locator('.row');
/** Text of the row that keys selected. */
const activeRow = ({ page }: Journey) => page.locator('.row.active');

const address = `/sessions/${encodeURIComponent('test:running')}`;

test('shows a session that runs until it is complete, its summary with quotes, and prints all of it', async () => {
  const events = smallSession('running');
  await captured(instance, events.slice(0, 4));
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, address);
  await rowsOf(journey).first().waitFor();
  await page.getByText('Capturing', { exact: true }).waitFor();
  const total = async (): Promise<number> => Number(await rowsOf(journey).first().getAttribute('aria-setsize'));
  const before = await total();

  const second = { ...events[1], content: 'Now run the tests of invoices', key: 'running-prompt-2' };
  const cause = { ...events[5], content: 'Root cause: we round per line and then add.', key: 'running-cause' };
  await captured(instance, [second, cause, ...events.slice(4)]);
  await expect.poll(total).toBe(before + 4);
  await page.getByText('Complete', { exact: true }).waitFor();
  await expectAccessible(journey);

  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await activeRow(journey).getByText('Now run the tests').waitFor();
  await page.keyboard.press('p');
  await activeRow(journey).getByText('half even').first().waitFor();

  await page.getByRole('tab', { name: 'Understood' }).click();
  await page
    .getByText(/^\d+ quotes?$/)
    .first()
    .click();
  await expectAccessible(journey);
  const quote = (await page.getByRole('blockquote').first().textContent()) ?? '';
  await page.getByRole('link', { name: 'Show the row' }).first().click();
  await activeRow(journey).waitFor();
  await activeRow(journey).getByText(quote.slice(0, 30)).first().waitFor();
  await activeRow(journey)
    .getByRole('button', { name: /^Trace/ })
    .click();
  await page.getByRole('dialog').getByText('Received').waitFor();
  await page
    .getByRole('dialog')
    .getByText(/^Summarised: \d+ (?:ms|s|min)$/)
    .waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'Work' }).click();
  await page.getByRole('table').first().waitFor();
  await expectAccessible(journey);

  await page.goto(address);
  await rowsOf(journey).first().waitFor();
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.locator('button', { hasText: 'Print' }).dispatchEvent('click');
  await expect.poll(() => rowsOf(journey).count()).toBe(await total());
  await page.getByRole('heading', { name: 'Summary' }).waitFor();
  expect(await page.getByRole('banner').isVisible()).toBe(false);
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(251, 251, 250)');
});

test('shows captured attacks as text on a small window, and forgets an event after its counts', async () => {
  const base = { host: 'test', session_id: 'attacks', project: { path: `/src/${HOSTILE_TEXTS[0]}` } };
  await captured(instance, [
    { ...base, type: 'session.started', key: 'attacks-start' },
    ...HOSTILE_TEXTS.flatMap((attack, n) => [
      { ...base, type: 'prompt', content: attack, key: `attacks-prompt-${n}` },
      {
        ...base,
        type: 'observation',
        tool: { name: attack.slice(0, 60), input: { file_path: attack }, response: attack, use_id: `attacks-${n}` },
      },
    ]),
  ]);
  const journey = await startJourney(instance, { viewport: { width: 320, height: 640 } });
  const { page } = journey;
  const attacked = `/sessions/${encodeURIComponent('test:attacks')}`;
  await instance.call('PUT', attacked, { body: { title: HOSTILE.slice(0, 200) } });
  await openAs(journey, instance, attacked);
  await rowsOf(journey).first().waitFor();
  await page.getByText(HOSTILE_TEXTS[0]).first().waitFor();
  await page.getByText('U+202E').first().waitFor();
  expect(await page.evaluate('globalThis.hit')).toBeUndefined();
  await expectNoSidewaysScroll(journey);
  await expectAccessible(journey);

  await page
    .getByRole('button', { name: /^Forget row/ })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Messages').waitFor();
  await expectAccessible(journey);
  await dialog.getByRole('button', { name: 'Forget' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(Number(await rowsOf(journey).first().getAttribute('aria-setsize'))).toBe(HOSTILE_TEXTS.length * 2 - 1);
});

const detail = z.object({ id: z.string(), counts: z.object({ prompts: z.number() }) });

test('reads a long session around the row of the address, in both directions, and offers other users no change', async () => {
  const base = smallSession('long')[0];
  const prompts = Array.from({ length: 300 }, (_, n) => ({
    ...base,
    type: 'prompt',
    content: `Prompt number ${n + 1}`,
    key: `long-${n}`,
  }));
  await captured(instance, [...smallSession('long').slice(0, 2), ...prompts]);
  const session = await instance.call('GET', `/sessions/${encodeURIComponent('test:long')}`);
  const { id: sessionId, counts } = detail.parse(session.body);
  expect(counts.prompts).toBe(301);
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, `/sessions/${encodeURIComponent('test:long')}?row=200`);
  await activeRow(journey).waitFor();
  expect(await activeRow(journey).textContent()).toContain('#200');
  expect(await rowsOf(journey).count()).toBeLessThan(40);
  // Faster than the page is drawn, as a key that stays down.
  const press = async (key: string, count: number, row: number): Promise<void> => {
    await page.evaluate(
      `for (let n = 0; n < ${count}; n += 1) document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }))`,
    );
    await expect.poll(() => activeRow(journey).textContent()).toContain(`#${row}`);
  };
  const heightOfRows = async () => Number(await page.evaluate("document.querySelector('.rows').clientHeight"));
  /** Presses keys up to near an end of the loaded rows, and waits for a further page, of some 6,000 px. */
  const pressToEnd = async (...keys: Parameters<typeof press>): Promise<void> => {
    const before = await heightOfRows();
    await press(...keys);
    await expect.poll(heightOfRows).toBeGreaterThan(before + 3_000);
  };
  await pressToEnd('k', 25, 175);
  await press('k', 35, 140);
  await pressToEnd('n', 85, 225);
  await press('n', 25, 250);
  await page.getByRole('button', { name: 'Stop capturing' }).click();
  await page.getByText('capture off').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('capture off').waitFor({ state: 'detached' });

  const other = await instance.user();
  const others = await startJourney(instance);
  await openAs(others, instance, `/sessions/${encodeURIComponent(sessionId)}`, other.key);
  await others.page.getByText('visible to its owner and admins only').waitFor();
  expect(await others.page.getByRole('button', { name: /Stop capturing|Forget|Close session/ }).count()).toBe(0);
});
