import { setTimeout as pause } from 'node:timers/promises';
import type { TenantId } from '../domain/ids.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';

/** A step within a workflow task must not wait for Temporal: a hint takes milliseconds, or Temporal is busy. */
const LOCAL_MS = 300;

/** Hints a tenant's index workflow. Returns false if Temporal is unavailable: the ledger has the request. */
export async function tryHintIndex(hints: WorkflowHints, tenantId: TenantId): Promise<boolean> {
  try {
    await hints.index(tenantId);
    return true;
  } catch {
    // The step's writes are committed; the sweep resends the hint.
    return false;
  }
}

/** As `tryHintIndex`; false also if the hint is not sent yet after `LOCAL_MS`. */
export function tryHintIndexSoon(hints: WorkflowHints, tenantId: TenantId): Promise<boolean> {
  return Promise.race([tryHintIndex(hints, tenantId), pause(LOCAL_MS, false)]);
}
