import { expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { startRelay } from '../../setup/relay.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectAccessible, expectNoSidewaysScroll, openAs, startJourney } from './support/browser.ts';

const instance = fileInstance();

test('signs in by a key, names the first command, and shows a session that starts', async () => {
  const user = await instance.stranger();
  const journey = await startJourney(instance);
  const { page } = journey;
  await page.goto('/sessions?status=active');
  await page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
  await expectAccessible(journey);
  await page.getByLabel('API key').fill('rcl_wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('INVALID_API_KEY').waitFor();
  await page.getByLabel('API key').fill(user.key);
  await page.getByRole('button', { name: 'Sign in with the key' }).click();
  // The same page, with its filters.
  await page.getByText('No session matches the filters').waitFor();
  await page.getByRole('button', { name: 'Remove the filters' }).click();
  await page.getByText('recollect install claude-code').waitFor();
  expect(new URL(page.url()).search).toBe('');
  await expectAccessible(journey);

  await captured(instance, smallSession('first').slice(0, 3), user.key);
  const list = page.getByRole('group', { name: 'Sessions' });
  await list.getByRole('listitem').waitFor();
  await page.getByRole('status').getByText('1 session').waitFor();
  await expectAccessible(journey);
});

test('filters in the address and by keyboard, finds commands, lists keys, fits a small window, signs out', async () => {
  await captured(instance, smallSession('<img src=x onerror=alert(1)>'));
  const journey = await startJourney(instance, { viewport: { width: 320, height: 640 } });
  const { page } = journey;
  await openAs(journey, instance, '/sessions');
  const rows = page.getByRole('group', { name: 'Sessions' }).getByRole('listitem');
  await rows.first().waitFor();
  // The code is not in the address.
  expect(new URL(page.url()).hash).toBe('');
  await expectNoSidewaysScroll(journey);

  await page.keyboard.press('/');
  await page.keyboard.type('matches nothing');
  // Slowly typed text takes effect in parts.
  await expect.poll(() => new URL(page.url()).search).toBe('?search=matches+nothing');
  await page.getByText('No session matches the filters').waitFor();
  await page.reload();
  await page.getByText('No session matches the filters').waitFor();
  await page.goto('/');
  await rows.first().waitFor();

  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Open the commands').waitFor();
  await expectAccessible(journey);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Type a page or an action' }).fill('中文');
  await expectAccessible(journey);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '会话' }).waitFor();
  await expectNoSidewaysScroll(journey);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: '输入页面或操作' }).fill('退出');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '登录 Recollect' }).waitFor();
});

test('a filter leaves a letter that is typed as the letters before it take effect', async () => {
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/sessions');
  await page.getByRole('searchbox').first().waitFor();
  // The second letter comes between the change of the address and the next frame; what the field shows is noted when both take effect.
  await page.evaluate(`
    const field = document.querySelector('main input[type=search]');
    const enter = (text) => {
      field.value = text;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    };
    const replace = history.replaceState.bind(history);
    history.replaceState = (...first) => {
      replace(...first);
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => enter('ab');
      port2.postMessage(null);
      history.replaceState = (...second) => {
        globalThis.shown = field.value;
        replace(...second);
      };
    };
    enter('a');
  `);
  await expect.poll(() => new URL(page.url()).search).toBe('?search=ab');
  expect(await page.evaluate('globalThis.shown')).toBe('ab');
});

/** Measures in the page, where a busy machine delays least, the ms from the first failure of a connection until an alert is shown. */
const MEASURE = `
let failedAt = null;
globalThis.forgetFailure = () => {
  failedAt = null;
  globalThis.shownAfterMs = undefined;
};
const note = (error) => {
  failedAt ??= performance.now();
  throw error;
};
const { fetch } = globalThis;
globalThis.fetch = (...request) => fetch(...request).catch(note);
const { read } = ReadableStreamDefaultReader.prototype;
ReadableStreamDefaultReader.prototype.read = function () {
  return read.call(this).catch(note);
};
new MutationObserver(() => {
  if (document.querySelector('[role=alert]') !== null) globalThis.shownAfterMs ??= performance.now() - failedAt;
}).observe(document, { childList: true, subtree: true });
`;

test('shows within two seconds that the server stopped, leaves the rows, and continues without a reload', async () => {
  await captured(instance, smallSession('before-the-stop').slice(0, 3));
  const relay = await startRelay(instance.url);
  const journey = await startJourney({ url: relay.url });
  journey.allow(/net::ERR_/);
  const { page } = journey;
  await page.addInitScript(MEASURE);
  await openAs(journey, instance, '/sessions');
  const rows = page.getByRole('group', { name: 'Sessions' }).getByRole('listitem');
  await rows.first().waitFor();
  const before = await rows.count();
  // The stream is open once a session that starts is shown.
  await captured(instance, smallSession('while-open').slice(0, 3));
  await rows.nth(before).waitFor();
  const banner = page.getByRole('alert').getByText('The server does not answer');
  const cut = async (): Promise<number> => {
    await page.evaluate('globalThis.forgetFailure()');
    await relay.cut();
    await banner.waitFor();
    return Number(await page.evaluate('globalThis.shownAfterMs'));
  };
  let shownAfterMs = await cut();
  // Twice again at most: the machine may have been too busy to draw the page in time.
  for (let left = 2; shownAfterMs >= 2_000 && left > 0; left -= 1) {
    await relay.restore();
    await banner.waitFor({ state: 'detached' });
    shownAfterMs = await cut();
  }
  expect(shownAfterMs).toBeLessThan(2_000);
  expect(await rows.count()).toBe(before + 1);
  await captured(instance, smallSession('while-stopped').slice(0, 3));
  await relay.restore();
  await rows.nth(before + 1).waitFor();
  await banner.waitFor({ state: 'detached' });
  await relay.cut();
});

test('offers a reload when the files of its version are replaced, and shows the sign-in when its key is revoked', async () => {
  const user = await instance.user();
  const journey = await startJourney(instance);
  journey.allow(/status of 404/);
  const { page } = journey;
  await page.route('**/assets/page-*.js', (route) => route.fulfill({ status: 404 }));
  await openAs(journey, instance, '/timeline?type=prompt', user.key);
  await page.getByText('The viewer was updated').waitFor();
  await page.unroute('**/assets/page-*.js');
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByText('Nothing matches the filters').waitFor();

  await instance.write('UPDATE api_keys SET revoked_at = now() WHERE user_id = $1', [user.userId]);
  await page.getByRole('heading', { name: 'Sign in to Recollect' }).waitFor();
  expect(new URL(page.url()).search).toBe('?type=prompt');
});

test('shows sessions without further files and before they are counted, and has a page before its link is followed', async () => {
  await captured(instance, smallSession('uncounted').slice(0, 3));
  const journey = await startJourney(instance);
  const { page } = journey;
  await openAs(journey, instance, '/nowhere');
  const files: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('.js')) files.push(request.url());
  });
  const counted = Promise.withResolvers<void>();
  await page.route('**/api/v1/sessions?*limit=1', async (route) => {
    await counted.promise;
    await route.continue();
  });
  await page.getByRole('main').getByRole('link').click();
  const row = page.getByRole('group', { name: 'Sessions' }).getByRole('listitem').first();
  await row.waitFor();
  expect(await row.getAttribute('aria-setsize')).toBe('-1');
  await expectAccessible(journey);
  counted.resolve();
  await page
    .getByRole('status')
    .getByText(/^\d+ sessions?$/)
    .waitFor();
  expect(await row.getAttribute('aria-setsize')).toMatch(/^[1-9]/);
  expect(files).toEqual([]);

  for (const [name, approach] of [
    ['Timeline', 'hover'],
    ['Costs', 'focus'],
  ] as const) {
    const link = page.getByRole('navigation').getByRole('link', { name });
    const [file] = await Promise.all([page.waitForResponse(/\/assets\/page-/), link[approach]()]);
    await file.finished();
    await journey.calm();
    files.length = 0;
    await link.click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    expect(files).toEqual([]);
  }
});
