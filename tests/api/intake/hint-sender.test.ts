import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BurstDetector } from '../../../api/intake/burst-detector.ts';
import { HintSender } from '../../../api/intake/hint-sender.ts';
import { asId } from '../../../domain/ids.ts';
import type { SessionId, TenantId } from '../../../domain/ids.ts';
import { gate } from './capture-events.ts';
import type { Gate } from './capture-events.ts';

const DELAY_MS = 2_000;
const tenant = asId<TenantId>('t');
const session = (name: string) => asId<SessionId>(name);

/** A sender with the far end in the test's hand: each hint waits at its gate where there is one. */
function playground() {
  const sent: string[] = [];
  const gates: Gate[] = [];
  const failures: unknown[] = [];
  const failing = new Set<string>();
  let running = 0;
  let most = 0;
  let done = 0;
  const sender = new HintSender({
    delayMs: DELAY_MS,
    burst: new BurstDetector(),
    hints: {
      session: async (tenantId, sessionId) => {
        sent.push(`${tenantId}/${sessionId}`);
        running += 1;
        most = Math.max(most, running);
        await gates.shift()?.opened;
        running -= 1;
        if (failing.has(sessionId)) throw new Error('unavailable');
      },
      index: () => Promise.resolve(),
      modelBatch: () => Promise.resolve(),
      reindex: () => Promise.resolve(),
    },
    onFailure: (error) => failures.push(error),
    onSent: () => {
      done += 1;
    },
  });
  const hold = (): Gate => {
    const blocked = gate();
    gates.push(blocked);
    return blocked;
  };
  return { sender, sent, failures, failing, hold, most: () => most, done: () => done };
}

/** Long enough for hints that are sent at once. */
const settle = () => vi.advanceTimersByTimeAsync(DELAY_MS / 20);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('gathering', () => {
  it('sends one hint for all that came within the delay', async () => {
    const { sender, sent, done } = playground();
    for (let n = 0; n < 50; n += 1) sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(DELAY_MS - 1);
    expect(sent).toEqual([]);
    expect(sender.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['t/s']);
    expect(done()).toBe(1);
    expect(sender.size).toBe(0);
  });

  it('does not put the hint off with every event', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(DELAY_MS - 1);
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['t/s']);
  });

  it('is apart for each session', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('a'), { atOnce: false, isBackfill: false });
    sender.hint(tenant, session('b'), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toEqual(['t/b']);
    await vi.advanceTimersByTimeAsync(DELAY_MS);
    expect(sent).toEqual(['t/b', 't/a']);
  });

  it('sends again for what comes after it was sent', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toEqual(['t/s', 't/s']);
  });
});

describe('at once', () => {
  it('does not wait, and takes along what was gathered', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toEqual(['t/s']);
    await vi.advanceTimersByTimeAsync(10 * DELAY_MS);
    expect(sent).toEqual(['t/s']);
  });

  it('leaves no timer behind that would send the next one early', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await vi.advanceTimersByTimeAsync(DELAY_MS / 2);
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(DELAY_MS - 1);
    expect(sent).toEqual(['t/s']);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['t/s', 't/s']);
  });
});

describe('while a hint is on its way', () => {
  it('gathers what comes for the next one', async () => {
    const { sender, sent, hold, most } = playground();
    const blocked = hold();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    for (let n = 0; n < 5; n += 1) sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(10 * DELAY_MS);
    expect(sent).toEqual(['t/s']);
    blocked.open();
    await settle();
    expect(sent).toEqual(['t/s']);
    await vi.advanceTimersByTimeAsync(DELAY_MS);
    expect(sent).toEqual(['t/s', 't/s']);
    expect(most()).toBe(1);
    expect(sender.size).toBe(0);
  });

  it.each([
    [false, true],
    [true, false],
  ])('sends again at once for a boundary among it (%s, then %s)', async (first, second) => {
    const { sender, sent, hold } = playground();
    const blocked = hold();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    sender.hint(tenant, session('s'), { atOnce: first, isBackfill: false });
    sender.hint(tenant, session('s'), { atOnce: second, isBackfill: false });
    blocked.open();
    await settle();
    expect(sent).toEqual(['t/s', 't/s']);
  });

  it('hints at most sixteen sessions at a time, in order', async () => {
    const { sender, sent, hold, most } = playground();
    const blocked = Array.from({ length: 20 }, hold);
    for (let n = 0; n < 20; n += 1) sender.hint(tenant, session(`s${n}`), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toHaveLength(16);
    blocked[0]?.open();
    await settle();
    expect(sent.at(-1)).toBe('t/s16');
    for (const each of blocked) each.open();
    await settle();
    expect(sent).toEqual(Array.from({ length: 20 }, (_, n) => `t/s${n}`));
    expect(most()).toBe(16);
    expect(sender.size).toBe(0);
  });
});

describe('an import', () => {
  it('leaves sessions in progress first', async () => {
    const { sender, sent, hold } = playground();
    const blocked = Array.from({ length: 16 }, hold);
    for (let n = 0; n < 20; n += 1) sender.hint(tenant, session(`old${n}`), { atOnce: true, isBackfill: true });
    sender.hint(tenant, session('live'), { atOnce: true, isBackfill: false });
    sender.hint(tenant, session('resumed'), { atOnce: true, isBackfill: true });
    sender.hint(tenant, session('resumed'), { atOnce: true, isBackfill: false });
    await settle();
    for (const each of blocked) each.open();
    await settle();
    expect(sent.slice(15)).toEqual(
      ['old15', 'live', 'resumed', 'old16', 'old17', 'old18', 'old19'].map((id) => `t/${id}`),
    );
  });
});

describe('a failure', () => {
  it('is reported, is not retried, and stops nothing', async () => {
    const { sender, sent, failures, failing, done } = playground();
    failing.add('a');
    sender.hint(tenant, session('a'), { atOnce: true, isBackfill: false });
    sender.hint(tenant, session('b'), { atOnce: true, isBackfill: false });
    await vi.advanceTimersByTimeAsync(10 * DELAY_MS);
    expect(sent).toEqual(['t/a', 't/b']);
    expect(failures).toHaveLength(1);
    expect(done()).toBe(1);
    expect(sender.size).toBe(0);
    failing.clear();
    sender.hint(tenant, session('a'), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toEqual(['t/a', 't/b', 't/a']);
  });

  it('of a hint does not swallow what came meanwhile', async () => {
    const { sender, sent, failing, hold } = playground();
    const blocked = hold();
    failing.add('s');
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    blocked.open();
    await vi.advanceTimersByTimeAsync(DELAY_MS);
    expect(sent).toEqual(['t/s', 't/s']);
  });
});

describe('stop', () => {
  it('sends what waits and takes nothing more', async () => {
    const { sender, sent } = playground();
    sender.hint(tenant, session('a'), { atOnce: false, isBackfill: false });
    sender.hint(tenant, session('b'), { atOnce: false, isBackfill: false });
    const stopped = sender.stop(1_000);
    sender.hint(tenant, session('c'), { atOnce: true, isBackfill: false });
    await vi.advanceTimersByTimeAsync(50);
    await stopped;
    expect(sent).toEqual(['t/a', 't/b']);
    expect(sender.size).toBe(0);
  });

  it('sends once more for what came while a hint was on its way', async () => {
    const { sender, sent, hold } = playground();
    const blocked = hold();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    await settle();
    sender.hint(tenant, session('s'), { atOnce: false, isBackfill: false });
    const stopped = sender.stop(1_000);
    blocked.open();
    await vi.advanceTimersByTimeAsync(50);
    await stopped;
    expect(sent).toEqual(['t/s', 't/s']);
    expect(sender.size).toBe(0);
  });

  it('waits for no longer than its limit', async () => {
    const { sender, hold } = playground();
    const blocked = hold();
    sender.hint(tenant, session('s'), { atOnce: true, isBackfill: false });
    let over = false;
    const stopped = (async () => {
      await sender.stop(500);
      over = true;
    })();
    await vi.advanceTimersByTimeAsync(450);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    await stopped;
    expect(sender.size).toBe(1);
    blocked.open();
    await settle();
  });

  it('is done at once where nothing waits', async () => {
    await expect(playground().sender.stop(1_000)).resolves.toBeUndefined();
  });
});

describe('a burst of sessions', () => {
  it('is gathered for longer, in proportion, and up to a bound; what is urgent is not', async () => {
    const { sender, sent } = playground();
    for (let n = 0; n < 200; n += 1) sender.hint(tenant, session(`s${n}`), { atOnce: false, isBackfill: false });
    await vi.advanceTimersByTimeAsync(DELAY_MS);
    // The first ones came while few waited.
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThanOrEqual(16);
    sender.hint(tenant, session('s199'), { atOnce: true, isBackfill: false });
    await settle();
    expect(sent).toContain('t/s199');
    await vi.advanceTimersByTimeAsync(DELAY_MS * 7);
    expect(new Set(sent).size).toBe(200);
  });
});

describe('a burst of events', () => {
  /** An event every two milliseconds, which is more than two hundred a second. */
  async function burst(sender: HintSender, forMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < forMs; passedMs += 2) {
      sender.hint(tenant, session('busy'), { atOnce: passedMs % 1_000 === 0, isBackfill: false });
      await vi.advanceTimersByTimeAsync(2);
    }
  }

  it('is stored before its work starts: hints wait for its end', async () => {
    const { sender, sent } = playground();
    for (let n = 0; n < 20; n += 1) sender.hint(tenant, session(`s${n}`), { atOnce: true, isBackfill: false });
    await burst(sender, 3 * DELAY_MS);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1.5 * DELAY_MS);
    expect(sent).toHaveLength(21);
    expect(sender.size).toBe(0);
  });

  it('that does not end delays hints by at most fifteen times the delay', async () => {
    const { sender, sent } = playground();
    for (let n = 0; n < 20; n += 1) sender.hint(tenant, session(`s${n}`), { atOnce: true, isBackfill: false });
    await burst(sender, 14 * DELAY_MS);
    expect(sent).toEqual([]);
    await burst(sender, 2 * DELAY_MS);
    expect(sent).toHaveLength(21);
  });

  it('is none where one session is busy in a burst', async () => {
    const { sender, sent } = playground();
    for (let n = 0; n < 30; n += 1) sender.hint(tenant, session('s'), { atOnce: n === 0, isBackfill: false });
    await settle();
    expect(sent).toEqual(['t/s']);
  });
});
