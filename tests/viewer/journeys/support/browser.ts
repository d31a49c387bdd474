import { existsSync } from 'node:fs';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import { processEnvironment } from '../../../../config/process-environment.ts';
import type { TestInstance } from '../../../setup/instance.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
/** Limit for a hang: a condition on a busy machine. */
const WAIT_MS = 30_000;

/** Returns the path of Chromium. @throws Error if there is none: pages that no browser showed must not pass */
function chromiumPath(): string {
  const folders = (processEnvironment()['PATH'] ?? '').split(path.delimiter);
  const found = folders
    .flatMap((folder) => PROGRAMS.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
  if (found === undefined)
    throw new Error(
      'Chromium is not on PATH: install it with "apt-get install chromium", or as the package of your system',
    );
  return found;
}

let browser: Promise<Browser> | undefined;

/** Returns the browser of this test process, which all its files share; it ends with the process. */
function sharedBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: chromiumPath(), args: ['--disable-dev-shm-usage'] });
  return browser;
}

/** What a page may not do: requests to other origins, violations of its policy, errors. */
interface Faults {
  readonly messages: string[];
}

export interface Journey {
  readonly page: Page;
  /** Errors that the journey provokes, such as `/status of 503/`. */
  allow(pattern: RegExp): void;
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A request without a sign-in, to which the page answers with the sign-in. */
const SIGNED_OUT = /status of 401/;

/** Opens a page of an instance. After the test: no error, no violation of the policy, no request to another origin. */
export async function startJourney(
  instance: Pick<TestInstance, 'url'>,
  options: BrowserContextOptions = {},
): Promise<Journey> {
  const context = await (
    await sharedBrowser()
  ).newContext({ baseURL: instance.url, viewport: { width: 1_440, height: 900 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(WAIT_MS);
  const { messages }: Faults = { messages: [] };
  const allowed: RegExp[] = [SIGNED_OUT];
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective, event.blockedURI))",
  );
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') messages.push(message.text());
  });
  page.on('pageerror', (error) => messages.push(`${error.name}: ${error.message}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${instance.url}/`)) messages.push(`request to ${request.url()}`);
  });
  open.push(async () => {
    await context.close();
    expect(messages.filter((message) => !allowed.some((pattern) => pattern.test(message)))).toEqual([]);
  });
  return { page, allow: (pattern) => void allowed.push(pattern) };
}

const codeSchema = z.object({ code: z.string() });

/** Opens an address as a user who is signed in by a one-time code, as `recollect open` does. */
export async function openAs(
  { page }: Journey,
  instance: Pick<TestInstance, 'call'>,
  address: string,
  key?: string,
): Promise<void> {
  const { body } = await instance.call('POST', '/auth/browser/codes', key === undefined ? {} : { key });
  await page.goto(`${address}#code=${codeSchema.parse(body).code}`);
  await page.getByRole('main').waitFor();
}

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Expects no violation of axe on what the page shows, in both themes. */
export async function expectAccessible({ page }: Journey): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).setLegacyMode().analyze();
    expect(violations.map(({ id, nodes }) => [colorScheme, id, nodes.map(({ html }) => html)])).toEqual([]);
  }
}

/** Expects that the page is not wider than its window. */
export async function expectNoSidewaysScroll({ page }: Journey): Promise<void> {
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
