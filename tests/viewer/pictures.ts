import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { startBenchInstance } from '../bench/capture/bench-instance.ts';
import { say } from '../bench/command-line.ts';
import { askApi, openSignedIn } from '../bench/viewer/signed-in.ts';
import { replayDemo } from '../setup/demo-on-server.ts';
import { launchChromium } from './journeys/support/chromium.ts';
import { pageAddresses } from './journeys/support/registry.ts';

// Pictures of the README: pages of the demo's session on an instance of its own, in both themes.

const FOLDER = path.resolve(import.meta.dirname, '..', '..', 'docs', 'pictures');
const SIZE = { width: 1_200, height: 750 };
const MOST_BYTES = 150_000;
/** Pages by the name of their picture. A page that the viewer lacks is left out. */
const PICTURES = { session: /^\/sessions\//, learning: /^\/learnings\//, costs: /^\/costs$/ } as const;

mkdirSync(FOLDER, { recursive: true });
const instance = await startBenchInstance({ RECOLLECT_TRANSCRIPTS: 'off' });
const browser = await launchChromium();
try {
  say('demo');
  await replayDemo({ url: instance.url, apiKey: instance.key });
  const addresses = await pageAddresses((api) => askApi(instance, api));
  for (const [name, pattern] of Object.entries(PICTURES))
    for (const colorScheme of ['light', 'dark'] as const) {
      const address = addresses.find(({ address }) => pattern.test(address))?.address;
      if (address === undefined) continue;
      const options = { viewport: SIZE, colorScheme, reducedMotion: 'reduce' } as const;
      const { page, calm, close } = await openSignedIn(browser, instance, address, options);
      await calm();
      const file = path.join(FOLDER, `${name}-${colorScheme}.png`);
      await page.screenshot({ path: file, animations: 'disabled' });
      await close();
      const { size } = statSync(file);
      if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes; at most ${MOST_BYTES} are allowed`);
      say(`${file} ${Math.round(size / 1_000)} KB`);
    }
} finally {
  await browser.close();
  await instance.stop();
}
