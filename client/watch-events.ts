import type { CallOptions, StreamEvent, StreamMessage, WatchOptions } from './contract.ts';
import { RecollectError } from './recollect-error.ts';
import { throwIfAborted, waitBeforeMs, waited } from './requester.ts';
import type { Requester } from './requester.ts';

/** The server sends something every 15 s: a connection that is silent for longer was lost. */
const SILENCE_MS = 45_000;

/** Reads a body until it ends, breaks or is silent. The reader of the body is cancelled when the consumer leaves. */
async function* textsOf(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal?.addEventListener('abort', cancel, { once: true });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const silence = setTimeout(cancel, SILENCE_MS);
      // A broken connection ends the stream like a complete one: the next continues after the last event.
      const part = await reader.read().catch(() => null);
      clearTimeout(silence);
      if (part === null || part.done) return;
      yield decoder.decode(part.value, { stream: true });
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancel();
  }
}

/** Reads the events of a response. Their shape is trusted, as in all answers. */
async function* messagesOf(texts: AsyncGenerator<string>): AsyncGenerator<StreamMessage> {
  let rest = '';
  for await (const text of texts) {
    const frames = `${rest}${text}`.split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined) continue;
      const message: StreamMessage = JSON.parse(data);
      yield message;
    }
  }
}

/** Whether another attempt may succeed: no answer, a server or proxy without one, or too many streams. */
function isPassing(error: unknown): error is RecollectError {
  if (!(error instanceof RecollectError)) return false;
  const { status, code } = error;
  return code === 'UNREACHABLE' || code === 'TIMEOUT' || status === 429 || (status >= 500 && status !== 501);
}

/** See RecollectApi.watch. */
export async function* watchEvents(
  requester: Requester,
  { type, last_event_id: first, ...options }: WatchOptions,
  call: CallOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const query = { ...options, type: typeof type === 'string' ? [type] : type };
  const { signal } = call;
  let last = first;
  for (let failures = 0; ; failures += 1) {
    let requestedMs: number | null = null;
    try {
      const headers = { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) };
      const body = await requester.download('/stream/events', { query, headers }, call);
      for await (const message of messagesOf(textsOf(body, signal))) {
        failures = 0;
        last = message.id;
        if (message.type !== 'beat') yield message;
      }
      throwIfAborted(signal);
      if (options.follow === false) return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      requestedMs = error.retryAfterMs;
    }
    await waited(waitBeforeMs(failures + 1, requestedMs), signal);
    throwIfAborted(signal);
  }
}
