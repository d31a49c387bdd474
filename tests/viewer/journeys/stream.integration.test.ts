import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured } from '../../setup/small-session.ts';
import { openAs, startJourney } from './support/browser.ts';
import { startNginx } from './support/nginx.ts';
import { startRelay } from '../../setup/relay.ts';

const instance = fileInstance();
const EVENTS = 50;

/** Notes what readers of the page are given of the event stream, text by reader. */
const NOTE = `
const read = ReadableStreamDefaultReader.prototype.read;
const decoders = new WeakMap();
globalThis.streamed = [];
ReadableStreamDefaultReader.prototype.read = async function () {
  const part = await read.call(this);
  if (!decoders.has(this)) {
    decoders.set(this, { decoder: new TextDecoder(), at: globalThis.streamed.length });
    globalThis.streamed.push('');
  }
  const { decoder, at } = decoders.get(this);
  if (!part.done) globalThis.streamed[at] += decoder.decode(part.value, { stream: true });
  return part;
};
`;

const added = z.object({
  id: z.string(),
  type: z.literal('observation.added'),
  data: z.object({ first_seq: z.number(), last_seq: z.number() }),
});

/** Returns the complete events about new rows in the texts of connections, in their order. */
function eventsIn(texts: readonly string[]): readonly z.output<typeof added>[] {
  return texts.flatMap((text) =>
    text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((frame) => {
        const found = added.safeParse(JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? 'null'));
        return found.success ? [found.data] : [];
      }),
  );
}

test.each(['of the page', 'of nginx'])(
  'gives the page each event once and in order while the connection %s to the server is cut',
  async (whose) => {
    const relay = await startRelay(instance.url);
    const nginx = whose === 'of nginx' ? await startNginx(relay.url) : null;
    onTestFinished(() => nginx?.close());
    const user = await instance.user();
    const journey = await startJourney({ url: nginx?.url ?? relay.url });
    journey.allow(/net::ERR_|status of 502/);
    const { page } = journey;
    await page.addInitScript(NOTE);
    await openAs(journey, instance, '/timeline', user.key);
    const base = { host: 'test', session_id: `cut ${whose}`, project: { path: '/src/cut' } };
    await captured(instance, [{ ...base, type: 'session.started' }], user.key);
    const items = page.getByRole('group', { name: 'Timeline' }).locator('.row');
    await items.first().waitFor();
    // The list may show it before the stream is open, which begins with what comes after.
    await expect.poll(() => page.evaluate("globalThis.streamed.join('')")).toContain('event: ready');
    for (let n = 1; n <= EVENTS; n += 1) {
      await captured(
        instance,
        [{ ...base, type: 'observation', text: `note ${n} of ${EVENTS}`, key: `k${n}` }],
        user.key,
      );
      if (n % 20 === 10) await relay.cut();
      if (n % 20 === 0) {
        await relay.restore();
        // The stream is open again before the next cut.
        await items
          .filter({ hasText: `note ${n} of` })
          .first()
          .waitFor();
      }
    }
    await relay.restore();
    await items
      .filter({ hasText: `note ${EVENTS} of` })
      .first()
      .waitFor();
    const seqs = async (): Promise<readonly number[]> => {
      const events = eventsIn(z.array(z.string()).parse(await page.evaluate('globalThis.streamed')));
      const ids = events.map(({ id }) => Number(id));
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
      return events.flatMap(({ data: { first_seq: first, last_seq: last } }) =>
        Array.from({ length: last - first + 1 }, (_, at) => first + at),
      );
    };
    await expect.poll(seqs).toHaveLength(EVENTS);
    const found = await seqs();
    expect(found).toEqual(Array.from({ length: EVENTS }, (_, at) => (found[0] ?? 0) + at));
    await relay.cut();
  },
);
