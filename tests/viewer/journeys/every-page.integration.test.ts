import { beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../setup/file-instance.ts';
import { startRelay } from '../../setup/relay.ts';
import type { Relay } from '../../setup/relay.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { openAs, startJourney } from './support/browser.ts';
import type { Journey } from './support/browser.ts';
import { HOSTILE, SCRIPT_ADDRESS } from './support/hostile.ts';
import { pageAddresses } from './support/registry.ts';
import type { PageAddress } from './support/registry.ts';

// What every page of the registry must do: a new page is covered by its line there.

const relays = {} as { weaviate: Relay; grpc: Relay; temporal: Relay };
const instance = fileInstance(async () => {
  const { weaviate, temporal } = inject('engines');
  relays.weaviate = await startRelay(weaviate.url);
  relays.grpc = await startRelay(`http://${new URL(weaviate.url).hostname}:${weaviate.grpcPort}`);
  relays.temporal = await startRelay(`http://${temporal.address}`);
  return {
    RECOLLECT_WEAVIATE_URL: relays.weaviate.url,
    RECOLLECT_WEAVIATE_GRPC_PORT: String(relays.grpc.port),
    RECOLLECT_TEMPORAL_ADDRESS: new URL(relays.temporal.url).host,
  };
});

const FOUND = `({
  hit: globalThis.hit ?? null,
  elements: document.querySelectorAll('[data-hostile], main img').length,
  links: [...document.links].filter((link) => link.protocol === 'javascript:').length,
  turned: [...document.querySelectorAll('body *')]
    .filter(({ childNodes }) => [...childNodes].some(({ nodeType, data }) => nodeType === 3 && data.includes('\\u202e')))
    .map(({ outerHTML }) => outerHTML.slice(0, 200)),
})`;
const foundSchema = z.record(z.string(), z.unknown());

let pages: readonly PageAddress[] = [];

beforeAll(async () => {
  const project = { name: HOSTILE.slice(0, 256), path: `/src/${HOSTILE}` };
  const [started, prompt, ...others] = smallSession('hostile', project);
  const base = { host: 'test', session_id: 'hostile', project };
  const tool = { name: HOSTILE.slice(0, 256), input: { file_path: SCRIPT_ADDRESS, command: HOSTILE }, error: HOSTILE };
  await captured(instance, [
    started,
    { ...prompt, content: HOSTILE },
    {
      ...base,
      type: 'observation',
      tool: { ...tool, response: HOSTILE, use_id: HOSTILE },
      tags: [HOSTILE.slice(0, 64)],
    },
    { ...base, type: 'observation', text: `${SCRIPT_ADDRESS} ${HOSTILE}`, level: 'error', tags: ['<b data-hostile>'] },
    ...others,
  ]);
  await instance.write('UPDATE sessions SET title = $1, last_error = $1', [HOSTILE]);
  const learning = {
    title: HOSTILE.slice(0, 200),
    description: HOSTILE,
    context: HOSTILE,
    examples: [HOSTILE, SCRIPT_ADDRESS],
  };
  const { status, body } = await instance.post('/learnings', { ...learning, tags: ['<b data-hostile>'] });
  if (status !== 201) throw new Error(`the learning was not stored: ${JSON.stringify(body)}`);
  pages = await pageAddresses(async (path) => (await instance.get(path)).body);
});

/** Waits for the answers of the page that loads. */
async function shown({ page, calm }: Journey): Promise<void> {
  await page.getByRole('main').getByRole('heading').first().waitFor();
  await calm();
}

/** Shows a page and waits for its answers. */
async function show(journey: Journey, address: string): Promise<void> {
  await journey.page.goto(address);
  await shown(journey);
}

test('shows captured text as text on every page', async () => {
  const journey = await startJourney(instance);
  await openAs(journey, instance, '/sessions');
  await journey.page.getByText('<img src=x data-hostile').first().waitFor();
  const found: unknown[] = [];
  for (const { address } of pages) {
    await show(journey, address);
    found.push({ address, ...foundSchema.parse(await journey.page.evaluate(FOUND)) });
  }
  const inert = { hit: null, elements: 0, links: 0, turned: [] };
  expect(found).toEqual(pages.map(({ address }) => ({ address, ...inert })));
});

test('offers a viewer nothing on any page that the api refuses', async () => {
  const viewer = await instance.user({ role: 'viewer', scopes: ['read'] });
  const journey = await startJourney(instance);
  journey.allow(/status of 404/);
  const refused: string[] = [];
  journey.page.on('response', (response) => {
    if (response.status() === 403) refused.push(`${response.request().method()} ${response.url()}`);
  });
  for (const { address } of pages.filter(({ isForReaders }) => isForReaders)) {
    // Signed in again: a button may have ended the session.
    await openAs(journey, instance, address, viewer.key);
    await shown(journey);
    for (const buttons of ['main button', 'dialog button']) {
      await journey.page.evaluate(`document.querySelectorAll('${buttons}').forEach((button) => button.click())`);
      await journey.calm();
    }
    expect({ address, refused }).toEqual({ address, refused: [] });
  }
});

test('seven tabs follow one server, since hidden ones close their stream', async () => {
  const journey = await startJourney(instance);
  const rowsOf = (page: Journey['page']) => page.getByRole('group', { name: 'Sessions' }).getByRole('listitem');
  const isStream = (request: { url(): string }): boolean => request.url().includes('/stream/events');
  /** Shows the sessions in a tab, whose stream is requested. */
  const opened = async (page: Journey['page'], open: () => Promise<unknown>): Promise<void> => {
    const streamed = page.waitForRequest(isStream);
    await open();
    await rowsOf(page).first().waitFor();
    await streamed;
  };
  await opened(journey.page, () => openAs(journey, instance, '/sessions'));
  const context = journey.page.context();
  const tabs = [journey.page];
  const setHidden = (page: Journey['page'], isHidden: boolean): Promise<unknown> =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  while (tabs.length < 7) {
    const last = tabs.at(-1) ?? journey.page;
    const closed = last.waitForEvent('requestfailed', isStream);
    await setHidden(last, true);
    await closed;
    const tab = await context.newPage();
    await opened(tab, () => tab.goto('/sessions'));
    tabs.push(tab);
  }
  const before = await rowsOf(journey.page).count();
  await captured(instance, smallSession('for-all-tabs').slice(0, 3));
  for (const tab of tabs) {
    await setHidden(tab, false);
    await rowsOf(tab).nth(before).waitFor();
    expect(await rowsOf(tab).count()).toBe(before + 1);
    await setHidden(tab, true);
  }
});

test('shows every page without Weaviate and Temporal, and the sessions with what is missing', async () => {
  await Promise.all(Object.values(relays).map((relay) => relay.cut()));
  const journey = await startJourney(instance);
  journey.allow(/status of 503/);
  await openAs(journey, instance, '/sessions');
  await journey.page.getByRole('group', { name: 'Sessions' }).getByRole('listitem').first().waitFor();
  for (const { address } of pages) {
    await show(journey, address);
    const alerts = await journey.page.getByRole('main').getByText('INTERNAL').count();
    expect({ address, alerts }).toEqual({ address, alerts: 0 });
  }
});
