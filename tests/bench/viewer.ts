import { replayDemo } from '../setup/demo-on-server.ts';
import { launchChromium } from '../viewer/journeys/support/chromium.ts';
import { pageAddresses } from '../viewer/journeys/support/registry.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import { option, say, selected } from './command-line.ts';
import { pageFaults } from './viewer/faults.ts';
import { writeSessions } from './viewer/fill.ts';
import { firstRow } from './viewer/first-row.ts';
import { scrolled } from './viewer/scroll.ts';
import { askApi } from './viewer/signed-in.ts';
import { builtSizes } from './viewer/sizes.ts';
import { sixTabs } from './viewer/tabs.ts';

// Viewer in Chromium: sizes, first row, a long list, six tabs during captures, faults of all pages. Prints one JSON line; progress goes to stderr.
// `--rows N` sets the sessions of the list, `--minutes N` the time of the tabs, `--only sizes,rows,scroll,tabs,faults` selects parts.

const parts = selected(['sizes', 'rows', 'scroll', 'tabs', 'faults'] as const);
const rows = Number(option('rows') ?? 100_000);
const minutes = Number(option('minutes') ?? 10);

const instance = await startBenchInstance({ RECOLLECT_TRANSCRIPTS: 'off', RECOLLECT_STREAMS_PER_USER: '50' });
const browser = await launchChromium();
try {
  say('demo');
  await replayDemo({ url: instance.url, apiKey: instance.key });
  const addresses = (await pageAddresses((path) => askApi(instance, path))).map(({ address }) => address);
  say(`${rows} sessions`);
  await writeSessions(instance.database, rows);
  const figures: Record<string, unknown> = {};
  for (const part of parts) {
    say(part);
    switch (part) {
      case 'sizes':
        figures[part] = builtSizes();
        break;
      case 'rows':
        figures[part] = await firstRow(browser, instance);
        break;
      case 'scroll':
        figures[part] = await scrolled(browser, instance, rows);
        break;
      case 'tabs':
        figures[part] = await sixTabs(browser, instance, addresses, minutes);
        break;
      case 'faults':
        figures[part] = await pageFaults(browser, instance, addresses);
        break;
    }
  }
  process.stdout.write(`${JSON.stringify({ bench: 'viewer', ...figures })}\n`);
} finally {
  await browser.close();
  await instance.stop();
}
