import { compileExclusions } from '../../domain/capture/exclusions.ts';
import type { Exclusion } from '../../domain/capture/exclusions.ts';
import type { TenantId } from '../../domain/ids.ts';
import { SessionFolders } from './session-folders.ts';
import type { ExclusionMemory } from './session-folders.ts';

export interface ExclusionOptions {
  /** Globs of the instance. */
  readonly globs: readonly string[];
  /** Globs of a tenant. Rejects while storage is unavailable. */
  readonly load: (tenantId: TenantId) => Promise<readonly string[]>;
  readonly memory: ExclusionMemory;
  readonly now?: () => number;
}

/** A list is believed for this long: so long may a change take to hold. */
const BELIEVE_MS = 5_000;
const MAX_TENANTS = 10_000;

export interface Known {
  readonly globs: string;
  readonly excludes: Exclusion | null;
  /** Of the tenant, whatever the list is. */
  readonly folders: SessionFolders;
  until: number;
}

/** Decides by folder which events are excluded. Queries the list once per tenant and five seconds, not per event. */
export class Exclusions {
  private readonly options: ExclusionOptions;
  private readonly known = new Map<TenantId, Known>();
  private readonly loading = new Map<TenantId, Promise<Known>>();

  constructor(options: ExclusionOptions) {
    this.options = options;
  }

  /** Returns the tenant's exclusions; a promise if they must be loaded first. */
  of(tenantId: TenantId): Known | Promise<Known> {
    const known = this.known.get(tenantId);
    if (known !== undefined && known.until > this.now()) return known;
    const running = this.loading.get(tenantId);
    if (running !== undefined) return running;
    const loading = this.load(tenantId, known).finally(() => this.loading.delete(tenantId));
    this.loading.set(tenantId, loading);
    return loading;
  }

  private now(): number {
    return this.options.now?.() ?? performance.now();
  }

  private async load(tenantId: TenantId, before: Known | undefined): Promise<Known> {
    const own = await this.options.load(tenantId);
    const globs = JSON.stringify(own);
    const until = this.now() + BELIEVE_MS;
    if (before !== undefined && before.globs === globs) {
      before.until = until;
      return before;
    }
    if (this.known.size >= MAX_TENANTS) this.known.clear();
    const excludes = compileExclusions([...this.options.globs, ...own]);
    const folders = before?.folders ?? new SessionFolders(tenantId, this.options.memory);
    if (excludes === null) folders.clear();
    const known: Known = { globs, excludes, folders, until };
    this.known.set(tenantId, known);
    return known;
  }
}
