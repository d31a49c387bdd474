import type { StreamEvent } from '../../domain/stream.ts';
import { eventFrame } from './frames.ts';

/** Newest events of a tenant that this process retains for its open streams: some seconds of a busy team. */
const RETAINED = 2_000;

interface Entry {
  readonly event: StreamEvent;
  /** The same text for every reader. */
  readonly frame: string;
}

/** A part of the stream, read up to a position. */
export interface Stretch {
  readonly frames: readonly string[];
  readonly upTo: number;
}

/** The newest events of one tenant, read once for all its streams in this process. */
export class Tail {
  private entries: Entry[] = [];
  /** Every event after it is among the entries. */
  private floor: number;
  /** Position up to which the tail was read. */
  head: number;

  constructor(position: number) {
    this.floor = position;
    this.head = position;
  }

  /** Appends events that were read after the head, up to a position. */
  append(events: readonly StreamEvent[], upTo: number): void {
    for (const event of events) this.entries.push({ event, frame: eventFrame(event) });
    this.head = upTo;
    const surplus = this.entries.length - RETAINED;
    if (surplus <= 0) return;
    this.floor = this.entries[surplus - 1]?.event.position ?? this.floor;
    this.entries = this.entries.slice(surplus);
  }

  /** Returns at most `limit` events after a position that `isWanted` selects; null if the tail begins later. */
  after(position: number, isWanted: (event: StreamEvent) => boolean, limit: number): Stretch | null {
    if (position < this.floor) return null;
    const frames: string[] = [];
    for (let next = this.indexAfter(position); next < this.entries.length; next += 1) {
      const entry = this.entries[next];
      if (entry === undefined || !isWanted(entry.event)) continue;
      frames.push(entry.frame);
      if (frames.length === limit) return { frames, upTo: entry.event.position };
    }
    return { frames, upTo: this.head };
  }

  /** Index of the first entry after a position. */
  private indexAfter(position: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.event.position ?? Infinity) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
