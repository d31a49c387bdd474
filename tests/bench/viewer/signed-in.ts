import type { Browser, BrowserContextOptions } from 'playwright-core';
import { z } from 'zod';
import { openWatched } from '../../viewer/journeys/support/chromium.ts';
import type { WatchedPage } from '../../viewer/journeys/support/chromium.ts';

/** A server and a key of its user. */
export interface ViewedServer {
  readonly url: string;
  readonly key: string;
}

const codeSchema = z.object({ code: z.string() });

/** Requests a path of the api; returns its JSON. @throws Error for another answer than a success */
export async function askApi({ url, key }: ViewedServer, path: string, method = 'GET'): Promise<unknown> {
  const response = await fetch(`${url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}`);
  return response.json();
}

/** Opens an address of the viewer in a profile of its own, signed in by a one-time code. */
export async function openSignedIn(
  browser: Browser,
  server: ViewedServer,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const watched = await openWatched(browser, server.url, options);
  const { code } = codeSchema.parse(await askApi(server, '/auth/browser/codes', 'POST'));
  await watched.page.goto(`${address}#code=${code}`);
  await watched.page.locator('main h1').first().waitFor();
  return watched;
}
