import { createHash } from 'node:crypto';
import { normalisedText } from '../../../domain/learning/compare.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { LEARNING_CATEGORIES } from '../../../domain/ports/model.ts';

export interface LearningContext {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly projectId: string | null;
  readonly userId: string;
  readonly namespace: string;
  /** Time of writing on this server: the learning is current from then on. */
  readonly validFrom: Date;
}

/** Why a learning was closed by a machine. */
export const REFINED = 'refined';
export const CONTRADICTED = 'contradicted';
export const DUPLICATE = 'duplicate';
/** Reason of a learning that contradicts a verified one. */
export const DISPUTES = 'disputes a verified learning';

/** SHA-256 for equal learnings: project, namespace, category, and the description without case and punctuation. */
export function learningFingerprint(learning: {
  readonly projectId: string | null;
  readonly namespace: string;
  readonly category: string;
  readonly description: string;
}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    createHash('sha256')
      .update(
        [learning.projectId ?? '', learning.namespace, learning.category, normalisedText(learning.description)].join(
          '\u0000',
        ),
        'utf8',
      )
      .digest(),
  );
}

/** SHA-256 for equal user memories: project, namespace and exact text. Differs from any {@link learningFingerprint}. */
export function exactFingerprint(memory: {
  readonly projectId: string | null;
  readonly namespace: string;
  readonly description: string;
}): Uint8Array<ArrayBuffer> {
  const text = ['exact', memory.projectId ?? '', memory.namespace, memory.description].join('\u0000');
  return new Uint8Array(createHash('sha256').update(text, 'utf8').digest());
}

/** Every fingerprint under which a learning of these words can stand, whatever its category. */
export function everyFingerprint(learning: {
  readonly projectId: string | null;
  readonly namespace: string;
  readonly description: string;
}): readonly Uint8Array<ArrayBuffer>[] {
  const { projectId, namespace, description } = learning;
  const scope = { projectId, namespace, description };
  return [
    ...LEARNING_CATEGORIES.map((category) => learningFingerprint({ ...scope, category })),
    exactFingerprint(scope),
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
