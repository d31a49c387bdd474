import { createHash } from 'node:crypto';
import { normalisedText } from '../../../domain/learning/compare.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { LEARNING_CATEGORIES } from '../../../domain/ports/model.ts';
import type { LearningScope } from './learning-neighbours.ts';

export interface LearningContext {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly projectId: string | null;
  readonly userId: string;
  readonly namespace: string;
  /** Owner of private learnings; null: shared ones are written. */
  readonly ownerId: string | null;
  /** Time of writing on this server: the learning is current from then on. */
  readonly validFrom: Date;
}

/** Why a learning was closed by a machine. */
export const REFINED = 'refined';
export const CONTRADICTED = 'contradicted';
export const DUPLICATE = 'duplicate';
/** Reason of a learning that contradicts a verified one. */
export const DISPUTES = 'disputes a verified learning';

/** What a fingerprint contains: equal words of two projects, or of two owners of private learnings, are two learnings. */
type Fingerprinted = LearningScope & { readonly description: string };

function printOf(parts: readonly string[], ownerId: string | null): Uint8Array<ArrayBuffer> {
  const text = [...parts, ...(ownerId === null ? [] : [ownerId])].join('\u0000');
  return new Uint8Array(createHash('sha256').update(text, 'utf8').digest());
}

/** SHA-256 for equal learnings: project, namespace, category, the description without case and punctuation, and the owner of a private one. */
export function learningFingerprint(learning: Fingerprinted & { readonly category: string }): Uint8Array<ArrayBuffer> {
  const { projectId, namespace, category, description, ownerId } = learning;
  return printOf([projectId ?? '', namespace, category, normalisedText(description)], ownerId);
}

/** SHA-256 for equal user memories: project, namespace, exact text, and the owner of a private one. Differs from any {@link learningFingerprint}. */
export function exactFingerprint({
  projectId,
  namespace,
  description,
  ownerId,
}: Fingerprinted): Uint8Array<ArrayBuffer> {
  return printOf(['exact', projectId ?? '', namespace, description], ownerId);
}

/** Every fingerprint under which a learning of these words can stand, whatever its category. */
export function everyFingerprint(learning: Fingerprinted): readonly Uint8Array<ArrayBuffer>[] {
  return [
    ...LEARNING_CATEGORIES.map((category) => learningFingerprint({ ...learning, category })),
    exactFingerprint(learning),
  ];
}

/** Text of a learning as it is embedded. */
export function learningText(learning: {
  readonly description: string;
  readonly context: string;
  readonly examples: readonly string[];
}): string {
  return [learning.description, learning.context, ...learning.examples].filter((text) => text !== '').join('\n');
}
