/** Rows of the audit log are retained for at least this many days, whatever the settings are. */
export const MIN_AUDIT_DAYS = 180;

/**
 * How a chain differs from what was appended: a row does not have its own hash (`changed`), does not continue the row before it (`unlinked`), is missing,
 * is there twice, follows the head, or a backup recorded another chain (`anchor`).
 */
export const FAULT_KINDS = ['changed', 'unlinked', 'missing', 'duplicate', 'beyond_head', 'anchor'] as const;
export type AuditFaultKind = (typeof FAULT_KINDS)[number];

/** Result of a verification. */
export interface AuditVerification {
  /** Recomputed rows. */
  readonly checked: number;
  /** The first fault; null if the chain is intact. */
  readonly fault: { readonly seq: number; readonly kind: AuditFaultKind } | null;
}

/** The last row of a tenant's chain, as the manifest of a backup records it. */
export interface AuditHead {
  readonly tenantId: string;
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
}
