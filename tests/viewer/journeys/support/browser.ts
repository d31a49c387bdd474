import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { TestInstance } from '../../../setup/instance.ts';
import { launchChromium, openWatched, violationsOf } from './chromium.ts';
import type { WatchedPage } from './chromium.ts';

let browser: Promise<Browser> | undefined;

/** Returns the browser of this test process, which all its files share; it ends with the process. */
function sharedBrowser(): Promise<Browser> {
  browser ??= launchChromium();
  return browser;
}

export interface Journey extends Pick<WatchedPage, 'calm'> {
  readonly page: Page;
  /** Errors that the journey provokes, such as `/status of 503/`. */
  allow(pattern: RegExp): void;
}

/** A request without a sign-in, to which the page answers with the sign-in. */
const SIGNED_OUT = /status of 401/;

/** Opens a page of an instance. After the test: no error, no violation of the policy, no request to another origin, in any tab. */
export async function startJourney(
  instance: Pick<TestInstance, 'url'>,
  options: BrowserContextOptions = {},
): Promise<Journey> {
  const { page, faults, calm, close } = await openWatched(await sharedBrowser(), instance.url, options);
  const allowed: RegExp[] = [SIGNED_OUT];
  // Not a hook of this module: files share it, and only the first one would register the hook.
  onTestFinished(async () => {
    await close();
    const messages = faults.map(({ message }) => message);
    expect(messages.filter((message) => !allowed.some((pattern) => pattern.test(message)))).toEqual([]);
  });
  return { page, calm, allow: (pattern) => void allowed.push(pattern) };
}

const codeSchema = z.object({ code: z.string() });

/** Opens an address as a user who is signed in by a one-time code, as `recollect open` does. */
export async function openAs(
  { page }: Pick<Journey, 'page'>,
  instance: Pick<TestInstance, 'call'>,
  address: string,
  key?: string,
): Promise<void> {
  const { body } = await instance.call('POST', '/auth/browser/codes', key === undefined ? {} : { key });
  await page.goto(`${address}#code=${codeSchema.parse(body).code}`);
  await page.getByRole('main').waitFor();
}

/** Expects no violation of axe on what the page shows, in both themes. */
export async function expectAccessible({ page }: Pick<Journey, 'page'>): Promise<void> {
  expect(await violationsOf(page)).toEqual([]);
}

/** Expects that the page is not wider than its window. */
export async function expectNoSidewaysScroll({ page }: Pick<Journey, 'page'>): Promise<void> {
  const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  expect(wider).toBe(0);
}

const SMALL = { width: 320, height: 700 };

/** Expects that what the page shows is accessible, and fits a window of 320 px. */
export async function expectUsable(journey: Journey): Promise<void> {
  const before = journey.page.viewportSize();
  await expectAccessible(journey);
  await journey.page.setViewportSize(SMALL);
  await expectNoSidewaysScroll(journey);
  if (before !== null) await journey.page.setViewportSize(before);
}
