import { afterAll, beforeAll, expect } from 'vitest';
import { streamEventSchema } from '../../../contract/stream.ts';
import type { StreamMessage } from '../../../contract/stream.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { startSecondApi } from './second-api.ts';
import type { SecondApi } from './second-api.ts';

/** An open event stream, as a browser reads it. */
export interface Followed {
  readonly headers: Headers;
  /** All that came, in order, with beats. */
  readonly received: readonly StreamMessage[];
  /** Resolves at the end of the response. */
  readonly ended: Promise<void>;
  readonly close: () => void;
}

function messageOf(frame: string): StreamMessage {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';
  const message = streamEventSchema.parse(JSON.parse(field('data')));
  if (field('id') !== message.id || field('event') !== message.type)
    throw new Error(`the frame contradicts its data: ${frame}`);
  return message;
}

/** Requests a stream at the address of an api; returns the response. */
export function requestStream(url: string, key: string, query = '', headers: Readonly<Record<string, string>> = {}) {
  const controller = new AbortController();
  const response = fetch(`${url}/api/v1/stream/events${query}`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: controller.signal,
  });
  return { response, close: () => controller.abort() };
}

/** Opens a stream, and reads it until it ends or is closed. Returns once its first event is there. */
export async function follow(
  url: string,
  key: string,
  query = '',
  headers: Readonly<Record<string, string>> = {},
): Promise<Followed> {
  const { response, close } = requestStream(url, key, query, headers);
  const { status, headers: answered, body } = await response;
  expect([status, answered.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const received: StreamMessage[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const part of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      const frames = `${text}${part}`.split('\n\n');
      text = frames.pop() ?? '';
      received.push(...frames.map(messageOf));
    }
  };
  const ended = read().catch(() => undefined);
  await until(async () => (received.length > 0 ? true : undefined), undefined, 'the first event');
  return { headers: answered, received, ended, close };
}

/** Returns the events without those of the stream itself. */
export function eventsOf({ received }: Pick<Followed, 'received'>) {
  return received.flatMap((message) => ('data' in message ? [message] : []));
}

/** Awaits so many events; returns them. */
export async function untilEvents(followed: Followed, count: number, timeoutMs = 60_000) {
  return until(
    async () => (eventsOf(followed).length >= count ? eventsOf(followed) : undefined),
    timeoutMs,
    async () => `${count} events, not ${eventsOf(followed).length}`,
  );
}

/** Starts a second api for the tests of a file. Streams that `on` opens are closed after them. */
export function streamsOnTwoApis(instance: TestInstance) {
  let second: SecondApi;
  const opened: Followed[] = [];
  beforeAll(async () => {
    second = await startSecondApi(instance);
  });
  afterAll(async () => {
    for (const followed of opened) followed.close();
    await second.close();
  });
  return {
    /** Address of the second api. */
    get url(): string {
      return second.url;
    },
    on: async (...wanted: Parameters<typeof follow>): Promise<Followed> => {
      const followed = await follow(...wanted);
      opened.push(followed);
      return followed;
    },
  };
}
