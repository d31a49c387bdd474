import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpenStream } from '../../../api/stream/open-stream.ts';
import { Tail } from '../../../api/stream/tail.ts';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { StreamEvent } from '../../../domain/stream.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function openStream() {
  const disconnect = vi.fn<() => void>();
  const [tenantId, userId] = [asId<TenantId>('t'), asId<UserId>('u')];
  const stream = new OpenStream({
    principal: {
      credential: { kind: 'key', id: 'k' },
      tenantId,
      userId,
      role: 'user',
      scopes: ['read'],
      expiresAt: null,
      bounds: null,
      requestsPerMinute: null,
      isOperator: false,
      login: null,
    },
    token: 'token',
    view: { tenantId, viewerId: userId, bounds: null },
    filter: { types: null, projectId: null, sessionId: null },
    after: null,
    follows: true,
    disconnect,
  });
  return { stream, disconnect };
}

/** Seconds of the hub's timer. */
function ticks(stream: OpenStream, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    vi.advanceTimersByTime(1_000);
    stream.tick();
  }
}

test('disconnects a reader that takes nothing for half a minute, and no reader that only receives nothing', () => {
  const { stream, disconnect } = openStream();
  stream.giving();
  stream.given();
  ticks(stream, 60);
  expect([stream.hasEnded, disconnect.mock.calls.length]).toEqual([false, 0]);
  stream.giving();
  ticks(stream, 29);
  expect(stream.hasEnded).toBe(false);
  ticks(stream, 1);
  expect([stream.hasEnded, disconnect.mock.calls.length]).toEqual([true, 1]);
});

test('wakes for a beat 15 seconds after the last write', async () => {
  const { stream } = openStream();
  stream.giving();
  stream.given();
  let isAwake = false;
  const woken = stream.slept().then(() => {
    isAwake = true;
  });
  ticks(stream, 14);
  await Promise.resolve();
  expect([stream.isBeatDue, isAwake]).toEqual([false, false]);
  ticks(stream, 1);
  await woken;
  expect(stream.isBeatDue).toBe(true);
});

test('the tail of a tenant retains the newest 2,000 events, and knows what it lacks', () => {
  const event = (position: number): StreamEvent => ({
    position,
    type: 'session.updated',
    userId: 'u',
    isPrivate: false,
    projectId: null,
    namespace: null,
    sessionId: null,
    subjectId: null,
    data: {},
    occurredAt: '2026-01-02T03:04:05.678Z',
  });
  const tail = new Tail(10);
  const all = (): boolean => true;
  expect(tail.after(10, all, 100)).toEqual({ frames: [], upTo: 10 });
  expect(tail.after(9, all, 100)).toBeNull();
  tail.append(
    Array.from({ length: 2_500 }, (_, n) => event(11 + 2 * n)),
    5_100,
  );
  expect(tail.after(1_008, all, 100)).toBeNull();
  expect(tail.after(1_009, all, 1)?.frames).toEqual([expect.stringContaining('id: 1011\n')]);
  // Between two positions, and a part.
  expect(tail.after(5_006, all, 100)).toEqual({ frames: [expect.any(String), expect.any(String)], upTo: 5_100 });
  expect(tail.after(1_009, ({ position }) => position > 5_000, 3)).toMatchObject({ upTo: 5_005 });
});
