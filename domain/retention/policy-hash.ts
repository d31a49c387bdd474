import { createHash } from 'node:crypto';
import type { RetentionRule } from './policy.ts';

/** A legal hold in force. */
export interface ActiveLegalHold {
  readonly id: string;
  readonly subject: string;
  readonly subjectId: string;
}

/** Returns the hex SHA-256 of a dry run's basis: the tenant's policies and active legal holds, in any order. */
export function policyHash(rules: readonly RetentionRule[], legalHolds: readonly ActiveLegalHold[]): string {
  const lines = [
    ...rules.map((rule) =>
      JSON.stringify(['rule', rule.resource, rule.projectId, rule.dataClass, rule.ageDays, rule.action]),
    ),
    ...legalHolds.map((legalHold) => JSON.stringify(['hold', legalHold.id, legalHold.subject, legalHold.subjectId])),
  ];
  return createHash('sha256').update(lines.toSorted().join('\n'), 'utf8').digest('hex');
}
