import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { say } from '../command-line.ts';
import { median } from '../figures.ts';
import { atMost } from './figure.ts';
import type { Figure } from './figure.ts';
import { openSignedIn } from './signed-in.ts';
import type { ViewedServer } from './signed-in.ts';

const ROUNDS = 5;
const ROW = '[data-index]';
/** Time of the first row since the navigation began. */
const RECORD = `new MutationObserver((_, observer) => {
  if (document.querySelector('${ROW}') === null) return;
  globalThis.firstRowMs = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true })`;
/** From a click on the link of a page without rows to the first row of the next one. */
const NAVIGATE = `new Promise((resolve) => {
  const started = performance.now();
  new MutationObserver((_, observer) => {
    if (document.querySelector('${ROW}') === null) return;
    observer.disconnect();
    resolve(performance.now() - started);
  }).observe(document.body, { childList: true, subtree: true });
  document.querySelector('main a[href="/"]').click();
})`;

/** Measures the first row of the sessions: without a cache, and after a navigation within the viewer. Medians in ms. */
export async function firstRow(browser: Browser, server: ViewedServer): Promise<Readonly<Record<string, Figure>>> {
  const signedIn = await openSignedIn(browser, server, '/nowhere');
  const storageState = await signedIn.page.context().storageState();
  await signedIn.close();
  const cold: number[] = [];
  const navigated: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext({ baseURL: server.url, storageState });
    await context.addInitScript(RECORD);
    const page = await context.newPage();
    await page.goto('/sessions');
    await page.locator(ROW).first().waitFor();
    cold.push(z.number().parse(await page.evaluate('firstRowMs')));
    await context.close();
    const other = await browser.newContext({ baseURL: server.url, storageState });
    const next = await other.newPage();
    await next.goto('/nowhere');
    await next.locator('main a[href="/"]').waitFor();
    navigated.push(z.number().parse(await next.evaluate(NAVIGATE)));
    await other.close();
  }
  say(`first row: cold ${cold.map(Math.round).join(', ')}; navigated ${navigated.map(Math.round).join(', ')} ms`);
  return { first_row_cold_ms: atMost(1_000, median(cold)), first_row_navigated_ms: atMost(150, median(navigated)) };
}
