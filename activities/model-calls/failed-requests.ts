import { asId } from '../../domain/ids.ts';
import type { ModelProvider } from '../../domain/ports/model.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { cacheResponse, dropUnreadable, findUnreadable } from '../../stores/postgres/usage/model-response-cache.ts';
import type { UnreadableMark, UnreadableResponse } from '../../stores/postgres/usage/model-response-cache.ts';
import { sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import type { CacheLife, CacheQuestion } from './answer-cache.ts';

/**
 * What was paid for without a usable response is stored until the step has a response of any provider or is given up: a retry, which another
 * provider's failure causes, repairs it, or skips the provider if the repair failed, too. So no attempt pays for the same failure again.
 */
export interface FailedRequest {
  readonly provider: ModelProvider;
  readonly model: string;
  /** With the name of the provider: two of them can have the same model, and thus the same request. */
  readonly promptVersion: string;
  readonly sha256: Uint8Array<ArrayBuffer>;
}

/** Returns the key of a request that failed at a provider. */
export function failedRequestOf(
  { provider, model }: Pick<FailedRequest, 'provider' | 'model'>,
  { promptVersion, sha256 }: CacheQuestion,
): FailedRequest {
  return { provider, model, promptVersion: `${provider}/${promptVersion}`, sha256 };
}

/** Returns the unusable response that this session paid for the equal request; null if there is none. */
export function findFailed(
  database: Database,
  owner: UsageOwner,
  { promptVersion, sha256 }: FailedRequest,
): Promise<UnreadableResponse | null> {
  return database.asTenant(asId(owner.tenantId), (transaction) =>
    findUnreadable(transaction, owner.sessionId, promptVersion, sha256),
  );
}

/** An abandoned request is sent again after a day: a setting may have been corrected meanwhile, such as the context of the server. */
const ABANDONED_DAYS = 1;

/** Stores a failure. Without a cache of responses, only that a request was abandoned. */
export async function storeFailed(
  transaction: TenantTransaction,
  owner: UsageOwner,
  request: FailedRequest,
  { response, mark }: { readonly response: string; readonly mark: UnreadableMark },
  { days, forgotten }: CacheLife,
): Promise<void> {
  if (days === 0 && mark.state === 'repairable') return;
  await cacheResponse(transaction, {
    tenantId: asId(owner.tenantId),
    sessionId: owner.sessionId,
    promptVersion: request.promptVersion,
    requestSha256: request.sha256,
    response,
    provider: request.provider,
    model: request.model,
    tokens: tokensOf(mark),
    near: null,
    days: mark.state === 'abandoned' ? ABANDONED_DAYS : days,
    unreadable: mark,
    forgotten,
  });
}

function tokensOf(mark: UnreadableMark): number {
  const { inputTokens, outputTokens } = sumUsage(mark.state === 'abandoned' ? mark.usage : [mark.usage]);
  return inputTokens + outputTokens;
}

/** Deletes failures: equal requests are sent anew. */
export async function dropFailed(
  database: Database,
  owner: UsageOwner,
  requests: ReadonlySet<FailedRequest>,
): Promise<void> {
  if (requests.size === 0) return;
  await database.asTenant(asId(owner.tenantId), async (transaction) => {
    for (const { promptVersion, sha256 } of requests) await dropUnreadable(transaction, promptVersion, sha256);
  });
}
