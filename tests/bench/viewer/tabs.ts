import { setTimeout as wait } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { cpuByService } from '../capture/cpu.ts';
import { benchEvent } from '../capture/requests.ts';
import { say } from '../command-line.ts';
import { atMost } from './figure.ts';
import type { Figure } from './figure.ts';
import { memoryOfPage } from './memory.ts';
import { openSignedIn } from './signed-in.ts';

const TABS = 6;
const PER_SECOND = 5;
const SESSIONS = 5;
/** Rows and answers that a page reads at its start. */
const WARM_UP_MS = 20_000;
/** Longest time of the measurement without tabs. */
const ALONE_MS = 60_000;

let numbered = 0;

/** Captures single events at the rate, for a time. */
async function captureFor({ url, key }: BenchInstance, ms: number): Promise<void> {
  const began = performance.now();
  for (let sent = 0; (sent * 1_000) / PER_SECOND < ms; sent += 1) {
    await wait(Math.max(0, began + (sent * 1_000) / PER_SECOND - performance.now()));
    numbered += 1;
    const event = benchEvent(`tabs-${numbered % SESSIONS}`, String(numbered).padStart(12, '0'));
    const answer = await fetch(`${url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });
    if (answer.status !== 202) throw new Error(`a capture was answered with ${answer.status}`);
    await answer.text();
  }
}

/** Captures for a time; returns the processor time of the api and of PostgreSQL as percent of a core. */
async function usedBy(
  instance: BenchInstance,
  ms: number,
): Promise<{ readonly api: number; readonly postgres: number }> {
  const before = cpuByService(instance);
  const began = performance.now();
  await captureFor(instance, ms);
  const elapsedUs = (performance.now() - began) * 1_000;
  const after = cpuByService(instance);
  const percent = (name: string): number => (((after.get(name) ?? 0) - (before.get(name) ?? 0)) / elapsedUs) * 100;
  return { api: percent('api'), postgres: percent('postgres') };
}

/**
 * Captures events while six tabs are open, each in a profile of its own, so that none is hidden. Returns the growth of the tab that grew most, and
 * what a tab costs the api beyond the same captures without tabs.
 */
export async function sixTabs(
  browser: Browser,
  instance: BenchInstance,
  addresses: readonly string[],
  minutes: number,
): Promise<Readonly<Record<string, Figure | number>>> {
  const ms = minutes * 60_000;
  await captureFor(instance, WARM_UP_MS);
  const alone = await usedBy(instance, Math.min(ALONE_MS, ms));
  say(`without tabs: ${JSON.stringify(alone)}`);
  const tabs = [];
  for (let tab = 0; tab < TABS; tab += 1) {
    const address = addresses[tab % addresses.length] ?? '/';
    const watched = await openSignedIn(browser, instance, address);
    tabs.push({ address, watched, memory: await memoryOfPage(watched.page) });
  }
  await captureFor(instance, WARM_UP_MS);
  const before = await Promise.all(tabs.map(({ memory }) => memory()));
  const beside = await usedBy(instance, ms);
  const after = await Promise.all(tabs.map(({ memory }) => memory()));
  const growth = tabs.map(({ address }, tab) => ({
    address,
    heapMb: (after[tab]?.heapMb ?? 0) - (before[tab]?.heapMb ?? 0),
    nodes: (after[tab]?.nodes ?? 0) - (before[tab]?.nodes ?? 0),
  }));
  say(`with tabs: ${JSON.stringify({ beside, growth })}`);
  for (const { watched } of tabs) await watched.close();
  return {
    tabs: TABS,
    events_per_s: PER_SECOND,
    minutes,
    heap_growth_mb: atMost(5, Math.max(...growth.map(({ heapMb }) => heapMb))),
    node_growth: atMost(100, Math.max(...growth.map(({ nodes }) => nodes))),
    api_percent_of_core_per_tab: atMost(1, (beside.api - alone.api) / TABS),
    postgres_percent_of_core_per_tab: Math.round(((beside.postgres - alone.postgres) / TABS) * 100) / 100,
  };
}
