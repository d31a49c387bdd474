import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { idIn } from '../../api/support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { untilTrue } from '../../setup/until.ts';
import { expectUsable, openAs, startJourney } from './support/browser.ts';

const instance = fileInstance();
beforeAll(async () => {
  await instance.startWorker();
});

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Bytes per second of a slow line, and a file that needs longer on it than a busy machine to cancel it. */
const SLOW = 40_000;
const LARGE = 4_000_000;

test('imports an export file, shows progress, and reports files that are none, a cancelled and an interrupted upload', async () => {
  await captured(instance, smallSession('exported').slice(0, 3));
  const exportId = idIn(await instance.post('/exports', { scope: 'tenant' }));
  await untilTrue(async () =>
    JSON.stringify((await instance.get(`/exports/${exportId}`)).body).includes('"completed"'),
  );
  const file = await fetch(`${instance.url}/api/v1/exports/${exportId}/file`, {
    headers: { authorization: `Bearer ${instance.admin.key}` },
  });
  const buffer = Buffer.from(await file.arrayBuffer());

  const journey = await startJourney(instance);
  journey.allow(/net::ERR_/);
  const { page } = journey;
  await openAs(journey, instance, '/keep?tab=transfers');
  const choose = async (name: string, content: Buffer): Promise<void> => {
    await page
      .getByLabel('Export file of Recollect')
      .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: content });
    await page.getByRole('button', { name: 'Import the file' }).click();
  };
  await choose('notes.txt', Buffer.from('no export'));
  await page.getByRole('alert').getByText('not compressed with Zstandard').waitFor();
  await expectUsable(journey);

  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  // Until the end: a faster line could send the rest of a cancelled upload before the network has heard of the cancellation.
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: SLOW,
  });
  await choose('large.ndjson.zst', Buffer.concat([ZSTD, randomBytes(LARGE)]));
  await expect.poll(() => page.getByRole('progressbar').getAttribute('value').then(Number)).toBeGreaterThan(0);
  await page.getByText('of 4.0 MB sent').waitFor();
  await page.getByRole('button', { name: 'Cancel the upload' }).click();
  await page.getByText('The upload was cancelled').waitFor();

  await page.route('**/imports/files', (route) =>
    route.request().method() === 'POST' ? route.abort('connectionreset') : route.continue(),
  );
  await page.getByRole('button', { name: 'Import the file' }).click();
  await page.getByRole('alert').getByText('The connection ended before the server answered').waitFor();
  await page.unroute('**/imports/files');
  expect(await instance.count("imports WHERE kind = 'file'")).toBe(0);

  const table = page.getByRole('region', { name: 'Imports of export files' });
  await choose('damaged.ndjson.zst', Buffer.concat([ZSTD, randomBytes(64)]));
  await page.getByText('its import has started').waitFor();
  await table.getByText('no export of Recollect that this instance can import').waitFor();
  await choose('export.ndjson.zst', buffer);
  await table.getByText('Completed').waitFor();
  await expectUsable(journey);
});

test('offers the import of a file to admins only', async () => {
  const user = await instance.user();
  const journey = await startJourney(instance);
  await openAs(journey, instance, '/keep?tab=transfers', user.key);
  await journey.page.getByRole('heading', { name: 'Exports', exact: true }).waitFor();
  expect(await journey.page.getByLabel('Export file of Recollect').count()).toBe(0);
});
