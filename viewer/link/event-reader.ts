import type { StreamEvent } from '../contract/index.ts';

/** State of the connection: `lost` while attempts fail, `paused` in a hidden tab or after a 403, `refused` after a 401. */
export type LinkState = 'connecting' | 'open' | 'lost' | 'paused' | 'refused';

export interface EventReaderOptions {
  readonly url: string;
  readonly onEvent: (event: StreamEvent) => void;
  readonly onState: (state: LinkState) => void;
  /** The server sends something every 15 s: a connection that is silent for longer was lost. */
  readonly silenceMs?: number;
  /** Wait before the first attempt after a loss; each further wait is twice as long. */
  readonly retryMs?: number;
}

const SILENCE_MS = 25_000;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;
/** A frame has ids and counters: a longer one is no event. */
const LONGEST_FRAME = 65_536;

/** Returns the complete events in a text, and the rest after them. */
export function framesOf(text: string): { readonly events: StreamEvent[]; readonly rest: string } {
  const frames = text.split('\n\n');
  const rest = frames.pop() ?? '';
  const events = frames.flatMap((frame): StreamEvent[] => {
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    return data === undefined ? [] : [JSON.parse(data)];
  });
  return { events, rest: rest.length > LONGEST_FRAME ? '' : rest };
}

/** Reads the event stream and reconnects: each event once, in order, continued after the last one that was received. */
export class EventReader {
  readonly #options: EventReaderOptions;
  #last: string | null = null;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  constructor(options: EventReaderOptions) {
    this.#options = options;
  }

  /** Id of the last event. */
  get last(): string | null {
    return this.#last;
  }

  /** Opens the stream unless it is open. */
  start(): void {
    if (this.#abort !== null) return;
    this.#failures = 0;
    this.#open();
  }

  /** Closes the stream; `start` continues after the last event. */
  stop(state: 'paused' | 'refused' = 'paused'): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#options.onState(state);
  }

  #open(): void {
    const abort = new AbortController();
    this.#abort = abort;
    // The second attempt, after a short loss, is not shown.
    if (this.#failures === 0) this.#options.onState('connecting');
    void this.#read(abort.signal).then(
      (end) => {
        if (abort.signal.aborted) return;
        if (end === null) this.#again();
        else this.stop(end);
      },
      () => {
        if (!abort.signal.aborted) this.#again();
      },
    );
  }

  #again(): void {
    const { retryMs = RETRY_MS, onState } = this.#options;
    this.#failures += 1;
    if (this.#failures > 1) onState('lost');
    const waitMs = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (this.#failures - 1));
    this.#timer = setTimeout(() => this.#open(), waitMs);
  }

  /** Reads one response to its end. Returns the state after a refusal: of an unknown caller, or of one that may not read the stream; null: the response ended. */
  async #read(signal: AbortSignal): Promise<'refused' | 'paused' | null> {
    const { url, onEvent, onState, silenceMs = SILENCE_MS } = this.#options;
    const response = await fetch(url, {
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'text/event-stream', ...(this.#last === null ? {} : { 'last-event-id': this.#last }) },
      signal,
    });
    if (response.status === 401) return 'refused';
    if (response.status === 403) return 'paused';
    if (!response.ok || response.body === null) throw new Error(`the stream answered ${response.status}`);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for (;;) {
        const silence = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs);
        const part = await reader.read().finally(() => clearTimeout(silence));
        if (part.done) return null;
        const read = framesOf(rest + decoder.decode(part.value, { stream: true }));
        rest = read.rest;
        for (const event of read.events) {
          if (signal.aborted) return null;
          this.#failures = 0;
          onState('open');
          this.#last = event.id;
          onEvent(event);
        }
      }
    } finally {
      void reader.cancel().catch(() => undefined);
    }
  }
}
