import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { StreamEvent } from '../contract/index.ts';
import { asAskError } from './ask.ts';
import type { AskError } from './ask.ts';

/** What a page shows of a request: old data stay beside an error. */
export interface Loaded<Value> {
  /** Undefined until the first answer. */
  readonly data: Value | undefined;
  readonly error: AskError | null;
  /** Time of the data in ms; null without data. */
  readonly loadedAt: number | null;
  readonly isLoading: boolean;
  /** The first answer takes longer than people notice: show a skeleton. */
  readonly isSlow: boolean;
}

/** What a page shows of a request that was not sent yet. */
export const NOT_LOADED = { data: undefined, error: null, loadedAt: null, isLoading: false, isSlow: false } as const;

/** Whether an event changes what was loaded. */
export type Concern = (event: StreamEvent) => boolean;

/** Returns what events of some types concern. */
export function on(...types: readonly StreamEvent['type'][]): Concern {
  return ({ type }) => types.includes(type);
}

/** Loads a value, given the last one. `isChanged`: the page changed it, so that no part of the last one can be trusted. */
export type Read<Value> = (before: Value | undefined, isChanged: boolean) => Promise<Value>;

const SLOW_MS = 150;
/** Events come in bursts: one request for all of them. */
const REFRESH_MS = 1_000;

/** A value that is loaded, and loaded again after events and changes; one request at a time. */
export class Loadable<Value> {
  readonly state: Signal<Loaded<Value>> = signal(NOT_LOADED);
  readonly #read: Read<Value>;
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStale = true;
  #isChanged = false;
  /** Readers, with the events that concern them. */
  readonly #concerns = new Set<Concern>();

  constructor(read: Read<Value>) {
    this.#read = read;
  }

  get isUsed(): boolean {
    return this.#concerns.size > 0;
  }

  /** Adds a reader, and loads if the data are old. Returns a function that removes it. */
  use(concern: Concern): () => void {
    this.#concerns.add(concern);
    if (this.#isStale) void this.load();
    return () => {
      this.#concerns.delete(concern);
      if (!this.isUsed) this.#isStale = true;
    };
  }

  /** Loads again soon if an event concerns a reader. */
  hear(event: StreamEvent): void {
    for (const concern of this.#concerns)
      if (event.type === 'ready' || event.type === 'reset' || concern(event)) {
        this.invalidate();
        return;
      }
  }

  /** Loads again soon, or at the next use. `isChanged`: after a change by the page, not by an event. */
  invalidate(isChanged = false): void {
    this.#isStale = true;
    this.#isChanged ||= isChanged;
    if (!this.isUsed || this.#timer !== undefined) return;
    const age = Date.now() - (this.state.value.loadedAt ?? 0);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (this.isUsed) void this.load();
      },
      Math.max(0, REFRESH_MS - age),
    );
  }

  /** Replaces the data, such as after an answer that contains them. */
  set(data: Value): void {
    this.state.value = { ...this.state.value, data, error: null, loadedAt: Date.now() };
  }

  /** Shows an error beside the data, such as that of a further page. */
  fail(error: unknown): void {
    this.#isStale = true;
    this.state.value = { ...this.state.value, error: asAskError(error), isLoading: false, isSlow: false };
  }

  /** Loads now; joins a load that runs. */
  load(): Promise<void> {
    this.#running ??= this.#load().finally(() => {
      this.#running = null;
      // An event came while the request ran.
      if (this.#isStale && this.isUsed && this.state.value.error === null) this.invalidate();
    });
    return this.#running;
  }

  async #load(): Promise<void> {
    this.#isStale = false;
    // A planned load would repeat this one.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.state.value = { ...this.state.value, isLoading: true };
    const slow = setTimeout(() => {
      if (this.state.value.data === undefined) this.state.value = { ...this.state.value, isSlow: true };
    }, SLOW_MS);
    try {
      const isChanged = this.#isChanged;
      const before = this.state.value.data;
      this.#isChanged = false;
      const data = await this.#read(before, isChanged);
      if (this.state.value.data !== before) {
        // Replaced meanwhile, such as by a further page, which this answer lacks: what shows stays, and is loaded again.
        this.#isStale = true;
        this.#isChanged ||= isChanged;
        this.state.value = { ...this.state.value, isLoading: false, isSlow: false };
        return;
      }
      this.state.value = { data, error: null, loadedAt: Date.now(), isLoading: false, isSlow: false };
    } catch (error) {
      this.fail(error);
    } finally {
      clearTimeout(slow);
    }
  }
}
