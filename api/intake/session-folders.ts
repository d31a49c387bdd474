import type { Exclusion } from '../../domain/capture/exclusions.ts';
import type { HostEvent } from '../../domain/capture/event.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import type { SessionName } from '../../stores/postgres/capture/excluded-sessions.ts';

/** Stores which sessions are excluded, across restarts. Both functions reject while storage is unavailable. */
export interface ExclusionMemory {
  /** For each session, in order, whether it was last seen in an excluded folder. */
  readonly read: (tenantId: TenantId, sessions: readonly SessionName[]) => Promise<readonly boolean[]>;
  readonly write: (tenantId: TenantId, session: SessionName, isExcluded: boolean) => Promise<void>;
  /** Count of changes of any process, of which this one was notified; null while it is not: what was read may be outdated. */
  readonly version: () => number | null;
}

/** Session and folder of an event. */
interface PlacedEvent extends SessionName {
  readonly path: string | undefined;
}

interface Place {
  /** Last folder received by this process; null if only storage knows the session. */
  path: string | null;
  /** Stored exclusion. */
  stored: boolean;
  /** `ExclusionMemory.version` before the last read. */
  version: number | null;
}

/** Sessions of one tenant whose folders are cached; the others are read from storage. */
const MAX_SESSIONS = 10_000;

function nameOf({ userId, host, externalId }: SessionName): string {
  return `${userId}\u0000${host}\u0000${externalId}`;
}

/** Returns whether nothing changed since a place was read. */
function isCurrent(place: Place | undefined, version: number | null): boolean {
  return place !== undefined && version !== null && place.version === version;
}

/** Returns whether a session is in an excluded folder. */
function isInExcluded(place: Place, excludes: Exclusion): boolean {
  return place.path === null ? place.stored : excludes(place.path);
}

/**
 * Folders of a tenant's sessions. An event without a folder is in its session's last one, matched against the current list. After a restart, and if
 * another process changed it, only the exclusion of a session is known: it remains in force until an event names a folder.
 */
export class SessionFolders {
  private readonly tenantId: TenantId;
  private readonly memory: ExclusionMemory;
  private readonly places = new Map<string, Place>();

  constructor(tenantId: TenantId, memory: ExclusionMemory) {
    this.tenantId = tenantId;
    this.memory = memory;
  }

  /**
   * Returns for each event, in order, whether it is excluded; a promise if storage must be read or written: at the first event of a session, and at
   * its first one after a session entered or left an excluded folder.
   */
  check(userId: UserId, events: readonly HostEvent[], excludes: Exclusion): boolean[] | Promise<boolean[]> {
    const placed = events.map(({ host, externalId, project }) => ({ userId, host, externalId, path: project?.path }));
    const version = this.memory.version();
    const unknown = placed.filter((event) => !isCurrent(this.places.get(nameOf(event)), version));
    return unknown.length === 0 ? this.decide(placed, excludes) : this.learn(unknown, version, placed, excludes);
  }

  /** Forgets the folders: they are not followed while nothing is excluded. */
  clear(): void {
    this.places.clear();
  }

  private async learn(
    unknown: readonly PlacedEvent[],
    version: number | null,
    events: readonly PlacedEvent[],
    excludes: Exclusion,
  ): Promise<boolean[]> {
    const stored = await this.memory.read(this.tenantId, unknown);
    unknown.forEach((event, index) => {
      const isExcluded = stored[index] ?? false;
      const place = this.places.get(nameOf(event)) ?? { path: null, stored: isExcluded, version: null };
      this.places.set(nameOf(event), place);
      // Another request may have read it meanwhile.
      if (isCurrent(place, version)) return;
      // Another process received a later folder if the exclusion is not the one that this process read or wrote last.
      if (place.stored !== isExcluded) place.path = null;
      place.stored = isExcluded;
      place.version = version;
    });
    const decided = this.decide(events, excludes);
    this.bound();
    return decided;
  }

  private decide(events: readonly PlacedEvent[], excludes: Exclusion): boolean[] | Promise<boolean[]> {
    const changed = new Map<Place, SessionName>();
    const decided = events.map((event) => {
      const place = this.places.get(nameOf(event)) ?? { path: null, stored: false, version: null };
      place.path = event.path ?? place.path;
      const isExcluded = isInExcluded(place, excludes);
      if (isExcluded !== place.stored) changed.set(place, event);
      return isExcluded;
    });
    return changed.size === 0 ? decided : this.store(changed, excludes).then(() => decided);
  }

  /** Stores changed exclusions. A failed write is repeated with the session's next event. */
  private async store(changed: ReadonlyMap<Place, SessionName>, excludes: Exclusion): Promise<void> {
    for (const [place, session] of changed) {
      const isExcluded = isInExcluded(place, excludes);
      await this.memory.write(this.tenantId, session, isExcluded);
      place.stored = isExcluded;
    }
  }

  /** The oldest are forgotten first; storage knows which of them are excluded. */
  private bound(): void {
    for (const name of this.places.keys()) {
      if (this.places.size <= MAX_SESSIONS) return;
      this.places.delete(name);
    }
  }
}
