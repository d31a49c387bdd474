import { createHash } from 'node:crypto';
import type { RetentionRule } from './policy.ts';

/** A legal hold that stands. */
export interface ActiveLegalHold {
  readonly id: string;
  readonly subject: string;
  readonly subjectId: string;
}

/** SHA-256, hex, of what a dry run was made for: the tenant's policies and the holds that stand, in whatever order they are given. */
export function policyHash(rules: readonly RetentionRule[], holds: readonly ActiveLegalHold[]): string {
  const lines = [
    ...rules.map((rule) =>
      JSON.stringify(['rule', rule.resource, rule.projectId, rule.dataClass, rule.ageDays, rule.action]),
    ),
    ...holds.map((hold) => JSON.stringify(['hold', hold.id, hold.subject, hold.subjectId])),
  ];
  return createHash('sha256').update(lines.toSorted().join('\n'), 'utf8').digest('hex');
}
