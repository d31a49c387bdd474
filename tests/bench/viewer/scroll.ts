import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { say } from '../command-line.ts';
import { atMost } from './figure.ts';
import type { Figure } from './figure.ts';
import { memoryOfPage } from './memory.ts';
import { openSignedIn } from './signed-in.ts';
import type { ViewedServer } from './signed-in.ts';

const measured = z.object({
  elements: z.number(),
  longest_frame_ms: z.number(),
  frames_over_100_ms: z.number(),
  longest_task_ms: z.number(),
  ms: z.number(),
  last_row: z.number(),
});

/** Scrolls by `move` in each frame until `isEnd`; returns the most elements, the longest frame and task, and the last row that was shown. */
const scrollScript = (move: string, isEnd: string): string => `(async () => {
  const box = document.querySelector('main .scroller');
  const found = { elements: 0, longest_frame_ms: 0, frames_over_100_ms: 0, longest_task_ms: 0, ms: 0, last_row: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) found.longest_task_ms = Math.max(found.longest_task_ms, duration);
  });
  observer.observe({ type: 'longtask' });
  const frame = () => new Promise(requestAnimationFrame);
  const started = await frame();
  let before = started;
  for (;;) {
    ${move};
    const now = await frame();
    found.longest_frame_ms = Math.max(found.longest_frame_ms, now - before);
    if (now - before > 100) found.frames_over_100_ms += 1;
    before = now;
    found.elements = Math.max(found.elements, document.getElementsByTagName('*').length);
    const rows = [...box.querySelectorAll('[aria-posinset]')];
    found.last_row = Math.max(found.last_row, ...rows.map((row) => Number(row.ariaPosInSet)));
    if (${isEnd}) break;
  }
  found.ms = before - started;
  observer.disconnect();
  return found;
})()`;

const DOWN = scrollScript(
  'box.scrollTop = box.scrollHeight',
  'rows.some((row) => row.ariaPosInSet === row.ariaSetSize) && box.scrollTop + box.clientHeight > box.scrollHeight - 2',
);
/** Four windows in each frame: a dragged scroll bar. */
const BACK = scrollScript('box.scrollTop -= box.clientHeight * 4', 'box.scrollTop === 0');

/** Scrolls a list of `rows` sessions to its end, which reads all pages, and back. */
export async function scrolled(
  browser: Browser,
  server: ViewedServer,
  rows: number,
): Promise<Readonly<Record<string, Figure | number | object>>> {
  const { page, close } = await openSignedIn(browser, server, '/sessions?status=ended');
  await page.locator('[data-index]').first().waitFor();
  const memory = await memoryOfPage(page);
  const before = await memory();
  const down = measured.parse(await page.evaluate(DOWN));
  const end = await memory();
  say(`scrolled to the end: ${JSON.stringify({ ...down, ...end })}`);
  const back = measured.parse(await page.evaluate(BACK));
  const after = await memory();
  await close();
  if (down.last_row < rows) throw new Error(`the list ended at row ${down.last_row} of ${rows}`);
  return {
    rows: down.last_row,
    elements: atMost(600, Math.max(down.elements, back.elements)),
    heap_mb: atMost(40, Math.max(end.heapMb, after.heapMb)),
    heap_mb_before: Math.round(before.heapMb * 100) / 100,
    longest_frame_ms: atMost(100, Math.max(down.longest_frame_ms, back.longest_frame_ms)),
    down,
    back,
  };
}
