import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { untilTrue } from '../../../setup/until.ts';
import { programPath } from './programs.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
const ADVICE = 'Chromium is not on PATH: install it with "apt-get install chromium", or as the package of your system';
/** Limit for a hang: a session settles, or a backup is restored, on a busy machine. */
const WAIT_MS = 120_000;

/** Starts Chromium without a window. @throws Error if it is not on PATH */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: programPath(PROGRAMS, ADVICE), args: ['--disable-dev-shm-usage'] });
}

/** What a page may not do: violate its policy, send requests to other origins, report errors. */
export interface PageFault {
  readonly kind: 'policy' | 'origin' | 'error';
  readonly message: string;
}

export interface WatchedPage {
  readonly page: Page;
  /** Faults so far, of all tabs of the profile. */
  readonly faults: PageFault[];
  /** Resolves when the page awaits no answer, apart from its event stream, and shows all. */
  readonly calm: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const POLICY = 'policy violated:';

/** Opens a page in a profile of its own and collects its faults. */
export async function openWatched(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1_440, height: 900 },
    locale: 'en-GB',
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  const faults: PageFault[] = [];
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => console.error('${POLICY}', event.violatedDirective, event.blockedURI))`,
  );
  context.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error') faults.push({ kind: text.startsWith(POLICY) ? 'policy' : 'error', message: text });
  });
  context.on('weberror', (thrown) => {
    const { name, message } = thrown.error();
    faults.push({ kind: 'error', message: `${name}: ${message}` });
  });
  context.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) faults.push({ kind: 'origin', message: `request to ${request.url()}` });
  });
  const page = await context.newPage();
  const awaited = new Set<unknown>();
  page.on('request', (request) => {
    if (!request.url().includes('/stream/events')) awaited.add(request);
  });
  page.on('requestfinished', (request) => awaited.delete(request));
  page.on('requestfailed', (request) => awaited.delete(request));
  return {
    page,
    faults,
    calm: async () => {
      const drawn = () =>
        page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
      await drawn();
      // Twice: an answer may lead to the next request.
      for (let reads = 0; reads < 2; reads += 1) {
        await untilTrue(async () => awaited.size === 0, WAIT_MS, 'the answers of a page');
        await drawn();
      }
    },
    close: () => context.close(),
  };
}

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Rules of axe about colours: only these differ between the themes. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** Returns the violations of axe on what the page shows, of colours in both themes: theme, rule, elements. */
export async function violationsOf(page: Page): Promise<(readonly [string, string, string[]])[]> {
  const found: (readonly [string, string, string[]])[] = [];
  for (const [colorScheme, runOnly] of [
    ['light', { type: 'tag', values: TAGS }],
    ['dark', { type: 'rule', values: COLOUR_RULES }],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page })
      // Elements that pass would be described, too.
      .options({ runOnly: { ...runOnly, values: [...runOnly.values] }, resultTypes: ['violations'] })
      .setLegacyMode()
      .analyze();
    found.push(...violations.map(({ id, nodes }) => [colorScheme, id, nodes.map(({ html }) => html)] as const));
  }
  return found;
}
