import type { Browser } from 'playwright-core';
import { violationsOf } from '../../viewer/journeys/support/chromium.ts';
import { say } from '../command-line.ts';
import { atMost } from './figure.ts';
import type { Figure } from './figure.ts';
import { openSignedIn } from './signed-in.ts';
import type { ViewedServer } from './signed-in.ts';

/** Counts on all pages: violations of axe in both themes, reports of the policy, requests to other origins, errors. */
export async function pageFaults(
  browser: Browser,
  server: ViewedServer,
  addresses: readonly string[],
): Promise<Readonly<Record<string, Figure | number>>> {
  const { page, faults, calm, close } = await openSignedIn(browser, server, addresses[0] ?? '/');
  let violations = 0;
  for (const address of addresses) {
    await page.goto(address);
    await page.locator('main h1').first().waitFor();
    await calm();
    const found = await violationsOf(page);
    violations += found.length;
    if (found.length > 0) say(`${address}: ${JSON.stringify(found)}`);
  }
  await close();
  for (const fault of faults) say(JSON.stringify(fault));
  const count = (kind: string): Figure => atMost(0, faults.filter((fault) => fault.kind === kind).length);
  return {
    pages: addresses.length,
    axe_violations: atMost(0, violations),
    policy_reports: count('policy'),
    requests_to_other_origins: count('origin'),
    errors: count('error'),
  };
}
