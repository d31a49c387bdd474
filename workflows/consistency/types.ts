/** Kinds of differences between the stores. Closed: only a named kind can be repaired. */
export const DIVERGENCE_KINDS = [
  /** The vector is indexed in the ledger, and the index has no object. */
  'missing',
  /** The index has an object that no row of the ledger names. */
  'orphaned',
  /** The object, or the ledger's hash, is not what would be written now. */
  'stale',
  /** The object of a memory of another tenant. */
  'wrong_tenant',
  /** A memory without a row in the ledger. */
  'untracked',
  /** The memory of a row of the ledger does not exist. */
  'memory_missing',
  /** A vector that the index contains and search does not find. */
  'unfindable',
  /** An open session without a workflow. */
  'session_without_workflow',
  /** A workflow that runs for a deleted row. */
  'workflow_without_row',
  /** Evidence whose quoted row does not exist. */
  'dangling_evidence',
  /** A session that counts other rows than it has. */
  'wrong_count',
] as const;
export type DivergenceKind = (typeof DIVERGENCE_KINDS)[number];
export type KindCounts = Readonly<Partial<Record<DivergenceKind, number>>>;

/** Results of a check: rows read, differences found, differences repaired. */
export interface CheckCounts {
  /** Rows and objects read. */
  readonly rows: number;
  readonly found: KindCounts;
  readonly repaired: KindCounts;
}

/** Requested check of one tenant. Without it: all tenants, with repair if the settings enable it. */
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

export interface ConsistencyActivities {
  /** Checks one tenant; its row remains. */
  checkTenant(input: CheckTenantInput): Promise<CheckCounts>;
  closeCheck(input: CloseCheckInput): Promise<void>;
}
