/** Every way in which the stores can say different things. Closed: what cannot be named cannot be mended. */
export const DIVERGENCE_KINDS = [
  /** The ledger says indexed, and the index has no object. */
  'missing',
  /** The index has an object that no row of the ledger names. */
  'orphaned',
  /** The object, or the ledger's hash, is not what would be written now. */
  'stale',
  /** The object of a memory of another tenant. */
  'wrong_tenant',
  /** A memory that the ledger was never asked for. */
  'untracked',
  /** The ledger has a memory that is gone. */
  'memory_missing',
  /** A vector that the index has and does not find. */
  'unfindable',
  /** A session that is open, and no workflow looks after it. */
  'session_without_workflow',
  /** A workflow that runs for what is gone. */
  'workflow_without_row',
  /** Evidence that quotes what is nowhere. */
  'dangling_evidence',
  /** A session that counts other rows than it has. */
  'wrong_count',
] as const;
export type DivergenceKind = (typeof DIVERGENCE_KINDS)[number];
export type KindCounts = Readonly<Partial<Record<DivergenceKind, number>>>;

/** What a comparison looked at, what it found, and what it mended of that. */
export interface CheckCounts {
  /** Rows and objects that were looked at. */
  readonly rows: number;
  readonly found: KindCounts;
  readonly repaired: KindCounts;
}

/** Of one tenant, as somebody asked for it. Without: all tenants, mended where the settings say so. */
export interface ConsistencyInput {
  readonly tenantId: string;
  /** Of its row. */
  readonly checkId: string;
  readonly repair: boolean;
}

export interface CheckTenantInput {
  readonly tenantId: string;
  readonly checkId: string;
  /** Null: as the settings say. */
  readonly repair: boolean | null;
}

export interface CloseCheckInput {
  readonly tenantId: string;
  readonly checkId: string;
  readonly state: 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface ConsistencyResult {
  readonly tenants: number;
  /** Tenants whose comparison did not come to its end. */
  readonly failed: number;
  readonly rows: number;
  readonly found: number;
  readonly repaired: number;
}

/** Totals so far, of a run that goes on as another one. */
export interface ConsistencyState {
  readonly after: string | null;
  readonly totals: ConsistencyResult;
}

export interface ConsistencyActivities {
  /** Compares one tenant; its row is kept. */
  checkTenant(input: CheckTenantInput): Promise<CheckCounts>;
  /** Tenants after this one, in the order of their ids. */
  tenantsToCheck(input: { readonly after: string | null; readonly limit: number }): Promise<readonly string[]>;
  closeCheck(input: CloseCheckInput): Promise<void>;
}
