import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { makeKey } from '../support/access.ts';
import { expectError } from '../support/answers.ts';
import { requestStream, streamsOnTwoApis, untilEvents } from '../support/event-stream.ts';
import type { Followed } from '../support/event-stream.ts';
import { noteEvent } from '../support/events.ts';
import { startSecondApi } from '../support/second-api.ts';

const instance = fileInstance({ RECOLLECT_STREAMS_PER_USER: '4' });
const second = streamsOnTwoApis(instance);
const { on } = second;

describe('a stream ends', () => {
  /** Returns the types of what a stream sent until its end. A beat comes after 15 seconds of silence. */
  const typesUntilEnd = async ({ ended, received }: Followed): Promise<string[]> => {
    await ended;
    return received.map(({ type }) => type);
  };

  test('at once after its key was revoked, and no other', async () => {
    const { userId, key: remaining } = await instance.user();
    const { key, api_key: secret } = await makeKey(instance, { user: userId });
    const [revoked, other] = [await on(second.url, secret), await on(second.url, remaining)];
    await instance.delete(`/admin/api-keys/${key.id}`);
    expect(await typesUntilEnd(revoked)).toEqual(['ready']);
    await instance.post('/events', noteEvent('still open', 'a note'), remaining);
    await untilEvents(other, 1);
    expect((await requestStream(second.url, secret).response).status).toBe(401);
  });

  test('at once after its user was deactivated', async () => {
    const { userId, key } = await instance.user();
    const followed = await on(second.url, key);
    await instance.put(`/admin/users/${userId}`, { active: false });
    expect(await typesUntilEnd(followed)).toEqual(['ready']);
  });

  test('when its credential expires', async () => {
    let livesMs = 2_500;
    const { answer, expiresAt } = await until(async () => {
      // On a busy machine the stream may be opened too late.
      livesMs *= 2;
      const expiresAt = Date.now() + livesMs;
      const { api_key: secret } = await makeKey(instance, { expires_at: new Date(expiresAt).toISOString() });
      const answer = await requestStream(second.url, secret).response;
      return answer.status === 401 ? undefined : { answer, expiresAt };
    });
    expect(answer.status).toBe(200);
    const types = [...(await answer.text()).matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
    expect(types.filter((type) => type !== 'beat')).toEqual(['ready']);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  });

  test('with the process, which waits neither for readers nor for connections without a request', async () => {
    const { key } = await instance.user();
    const other = await startSecondApi(instance);
    const followed = await on(other.url, key);
    const { port, hostname } = new URL(other.url);
    const unused = connect(Number(port), hostname).on('error', () => undefined);
    await once(unused, 'connect');
    const began = performance.now();
    await Promise.all([other.close(), followed.ended]);
    // Node would wait for a minute.
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

test('a reader that takes nothing for a while receives the rest later, each event once and in order', async () => {
  // More than the buffers of a connection hold, and than the tail retains.
  const EVENTS = 3_000;
  const PADDING = 6_000;
  const { userId, tenantId, key } = await instance.user();
  const other = await on(second.url, key, '?type=learning.extracted');
  const beside = await on(second.url, key, '?type=session.updated');
  const { port, hostname } = new URL(second.url);
  const socket = connect(Number(port), hostname);
  const path = `/api/v1/stream/events?type=session.updated&last_event_id=${other.received[0]?.id ?? ''}`;
  socket
    .pause()
    .write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${key}\r\nconnection: close\r\n\r\n`);
  await instance.write(
    `INSERT INTO stream_events (tenant_id, type, user_id, private, data)
     SELECT $1, 'session.updated', $2, true, jsonb_build_object('n', n, 'padding', repeat('x', ${PADDING})) FROM generate_series(1, ${EVENTS}) AS n ORDER BY n`,
    [tenantId, userId],
  );
  // One of another type, for a reader of that type: it has passed all before, and a reader that waits for half a minute is disconnected.
  await instance.write(
    "INSERT INTO stream_events (tenant_id, type, user_id, private) VALUES ($1, 'learning.extracted', $2, true)",
    [tenantId, userId],
  );
  await untilEvents(other, 1, 120_000);
  // More than the buffers of the reader that takes nothing hold: this one does not wait for it.
  await untilEvents(beside, EVENTS / 2, 120_000);
  const read = await instance.rows<{ id: string }>(
    "SELECT position::text AS id FROM stream_events WHERE user_id = $1 AND type = 'session.updated' ORDER BY position",
    [userId],
  );
  expect(read).toHaveLength(EVENTS);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.resume();
  await until(async () => (text.includes(`id: ${read.at(-1)?.id ?? ''}\n`) ? true : undefined));
  socket.destroy();
  const ids = read.map(({ id }) => id);
  expect([...text.matchAll(/^id: (\d+)\nevent: session/gm)].map(([, id]) => id)).toEqual(ids);
  expect((await untilEvents(beside, EVENTS, 120_000)).map(({ id }) => id)).toEqual(ids);
});

test('a user may have so many streams open in a process, and one more after one was closed', async () => {
  const { key } = await instance.user();
  const streams = await Promise.all([1, 2, 3, 4].map(() => on(instance.url, key)));
  const refused = await instance.get('/stream/events', key);
  expectError(refused, 'RATE_LIMITED');
  expect(refused.headers.get('retry-after')).not.toBeNull();
  expect(JSON.stringify(refused.body)).toContain('4 open streams');
  streams[0]?.close();
  await until(async () => {
    const { response, close } = requestStream(instance.url, key);
    const { status } = await response;
    close();
    return status === 200 ? true : undefined;
  });
});
