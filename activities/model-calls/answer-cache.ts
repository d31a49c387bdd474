import { createHash } from 'node:crypto';
import { asId } from '../../domain/ids.ts';
import type { ModelResponse, ModelUsage, ModelRequest, SourceRow } from '../../domain/ports/model.ts';
import {
  bandKeys,
  estimatedSimilarity,
  shapeOf,
  signatureOf,
  novelWords,
  withoutVolatile,
} from '../../domain/similarity.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import {
  findAnswer,
  findNearAnswers,
  findUnreadable,
  cacheResponse,
} from '../../stores/postgres/usage/model-response-cache.ts';
import type { CachedResponse, NearAnswer, UnreadableMark } from '../../stores/postgres/usage/model-response-cache.ts';
import { bookUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';

/** What decides whether the answer to a nearly identical question may be taken. */
export interface NearOptions<Output> {
  readonly rows: readonly SourceRow[];
  /** Every claim of the answer stands in these rows. */
  readonly stands: (output: Output) => boolean;
}

/** A question as the cache knows it. Its signature is made once, and only where an answer is looked for by it. */
export interface CacheQuestion {
  readonly promptVersion: string;
  readonly text: string;
  readonly sha256: Uint8Array<ArrayBuffer>;
  readonly near: { readonly signature: Uint32Array; readonly keys: readonly bigint[] } | null;
}

export interface CacheSettings {
  readonly similarity: number;
  readonly days: number;
}

export function cacheQuestion<Output>(
  call: ModelRequest<Output>,
  near: NearOptions<Output> | undefined,
  { similarity }: CacheSettings,
): CacheQuestion {
  const { promptVersion, requestText: question } = call;
  const sha256 = new Uint8Array(createHash('sha256').update(question, 'utf8').digest());
  if (near === undefined || similarity >= 1) return { promptVersion, text: question, sha256, near: null };
  let made: CacheQuestion['near'] = null;
  return {
    promptVersion,
    text: question,
    sha256,
    // Made when it is asked for: the same question is found without it.
    get near() {
      if (made !== null) return made;
      const signature = signatureOf(question);
      const kind = `${promptVersion}\u001f${shapeOf(near.rows)}`;
      made = { signature, keys: bandKeys(signature, kind) };
      return made;
    },
  };
}

/** Words of what is compared for strangers: times and ids of the question are none that an answer could be held to. */
export function foreignRowsOf(answer: string, question: string): number {
  return novelWords(withoutVolatile(answer), withoutVolatile(question));
}

/**
 * What a kept answer says for a nearly identical question; null where it may not be taken: it shares too little, speaks of what the new
 * rows do not hold, cannot be read, or makes a claim that does not stand in them.
 */
export function takeNear<Output>(
  kept: Pick<NearAnswer, 'answer' | 'signature' | 'novelWords'>,
  call: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output>,
  similarity: number,
): Output | null {
  if (question.near === null || estimatedSimilarity(kept.signature, question.near.signature) < similarity) return null;
  if (foreignRowsOf(kept.answer, question.text) > kept.novelWords) return null;
  const reading = call.read(kept.answer);
  return reading.ok && near.stands(reading.output) ? reading.output : null;
}

/** An answer that can be taken, and what it says for this question. */
export interface CacheHit<Output> {
  readonly output: Output;
  readonly kept: CachedResponse;
}

/**
 * An answer that was paid for: to the same question, or to one that is nearly the same if every claim of it stands in the new rows and
 * it speaks of nothing that they do not hold. Null where there is none.
 */
export async function findCachedResponse<Output>(
  database: Database,
  owner: UsageOwner,
  call: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output> | undefined,
  { similarity }: CacheSettings,
): Promise<CacheHit<Output> | null> {
  const { same, alike } = await database.asTenant(asId(owner.tenantId), async (transaction) => {
    const found = await findAnswer(transaction, question.promptVersion, question.sha256);
    if (found !== null || question.near === null) return { same: found, alike: [] };
    return { same: null, alike: await findNearAnswers(transaction, question.promptVersion, question.near.keys) };
  });
  if (same !== null) {
    const reading = call.read(same.answer);
    return reading.ok ? { output: reading.output, kept: same } : null;
  }
  if (near === undefined) return null;
  for (const kept of alike) {
    const output = takeNear(kept, call, question, near, similarity);
    if (output !== null) return { output, kept };
  }
  return null;
}

/** Books an answer that cost nothing. */
export async function bookHit(
  database: Database,
  owner: UsageOwner,
  kept: CachedResponse,
  latencyMs: number,
): Promise<ModelUsage> {
  const usage: ModelUsage = {
    provider: kept.provider,
    model: kept.model,
    inputTokens: 0,
    outputTokens: 0,
    tokensCached: 0,
    tokensCacheWritten: 0,
    costUsd: 0,
    batch: false,
    latencyMs,
  };
  await database.asTenant(asId(owner.tenantId), (transaction) => bookUsage(transaction, owner, [usage], true));
  return usage;
}

/** The answer to the very same question that this session paid for and could not use, as it was given; null where there is none. */
export async function findFailedAnswer<Output>(
  database: Database,
  owner: UsageOwner,
  { promptVersion, sha256 }: CacheQuestion,
): Promise<ModelResponse<Output> | null> {
  const found = await database.asTenant(asId(owner.tenantId), (transaction) =>
    findUnreadable(transaction, owner.sessionId, promptVersion, sha256),
  );
  if (found === null) return null;
  const { answer: text, usage, kind, problem, where } = found;
  return { text, reading: { ok: false, kind, problem, where }, usage };
}

/** Keeps an answer for as long as the settings say, marked where it cannot be used. */
export async function keepForQuestion(
  transaction: TenantTransaction,
  owner: UsageOwner,
  question: CacheQuestion,
  given: { readonly text: string; readonly usage: ModelUsage },
  { days, forgotten }: { readonly days: number; readonly forgotten: number },
  unreadable: UnreadableMark | null = null,
): Promise<void> {
  if (days === 0) return;
  const { text, usage } = given;
  await cacheResponse(transaction, {
    tenantId: asId(owner.tenantId),
    sessionId: owner.sessionId,
    promptVersion: question.promptVersion,
    requestSha256: question.sha256,
    answer: text,
    provider: usage.provider,
    model: usage.model,
    tokens: usage.inputTokens + usage.outputTokens,
    near: question.near === null ? null : { ...question.near, novelWords: foreignRowsOf(text, question.text) },
    days,
    unreadable,
    forgotten,
  });
}
