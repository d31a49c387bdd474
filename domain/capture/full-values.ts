import { buildCaptureEvent } from './build-event.ts';
import type { CaptureEvent, EventOwner, HostEvent } from './event.ts';
import { ObjectTooLarge, fullValueKey } from '../ports/object-store.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { FullValue } from '../redaction/redact.ts';

/** Keys of the full values that an event's rows reference. */
export interface RetainedKeys {
  readonly keys: readonly string[];
}

/** An event ready to be stored, with the keys of the full values that its rows reference. */
export interface SpooledEvent extends RetainedKeys {
  readonly event: CaptureEvent;
}

/** A full value as UTF-8 bytes. */
export interface FullValueBytes {
  /** Hex SHA-256 of the bytes. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Builds events of one user and stores the full values of truncated texts; without an object store it only builds. */
export class FullValues {
  private readonly objects: ObjectStore | null;
  private readonly owner: EventOwner;
  /** Keys that did not exist before. */
  private readonly added = new Set<string>();

  constructor(objects: ObjectStore | null, owner: EventOwner) {
    this.objects = objects;
    this.owner = owner;
  }

  /** Await before the commit: the note in a row must not reference a missing value. Rejects with the object store's error. */
  async build(given: HostEvent, receivedAt: Date): Promise<SpooledEvent> {
    if (this.objects === null) return { event: buildCaptureEvent(given, this.owner, receivedAt), keys: [] };
    const fullValues: FullValue[] = [];
    const event = buildCaptureEvent(given, this.owner, receivedAt, { fullValues });
    const values = fullValues.map(({ sha256, text }) => ({ sha256, bytes: Buffer.from(text, 'utf8') }));
    const { keys, complete } = await this.keep(values);
    // Over the store's limit: only the truncated text is stored, and its note names no hash.
    return complete ? { event, keys } : { event: buildCaptureEvent(given, this.owner, receivedAt), keys };
  }

  /** Stores values before the commit of the rows that reference them; `complete` is false if one exceeds the store's limit. Rejects with the object store's error. */
  async keep(values: readonly FullValueBytes[]): Promise<RetainedKeys & { readonly complete: boolean }> {
    const keys: string[] = [];
    try {
      for (const value of values) if (this.objects !== null) keys.push(await this.put(this.objects, value));
    } catch (error) {
      if (!(error instanceof ObjectTooLarge)) throw error;
      return { keys, complete: false };
    }
    return { keys, complete: true };
  }

  private async put(objects: ObjectStore, { sha256, bytes }: FullValueBytes): Promise<string> {
    const key = fullValueKey(this.owner.tenantId, sha256);
    if ((await objects.get(key)) === null) {
      await objects.put(key, bytes);
      this.added.add(key);
    }
    return key;
  }

  /** Await after the commit: deletes values of events that were not stored, which could contain forgotten text. */
  async settle(retained: readonly RetainedKeys[], outcomes: readonly { readonly status: string }[]): Promise<void> {
    // After any other outcome it is unknown whether a row references the value.
    const isRefused = (at: number) => outcomes[at]?.status === 'rejected' || outcomes[at]?.status === 'refused';
    const needed = new Set(retained.flatMap(({ keys }, at) => (isRefused(at) ? [] : keys)));
    for (const key of new Set(retained.flatMap(({ keys }) => keys)))
      if (this.added.has(key) && !needed.has(key)) await this.objects?.delete(key);
  }
}
