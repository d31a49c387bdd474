import { v7 } from 'uuid';
import { deadlineOf, receiptOf } from '../domain/erasure/gdpr-request.ts';
import type { RequestReceipt } from '../domain/erasure/gdpr-request.ts';
import { signReceipt } from '../domain/erasure/receipt.ts';
import type { Principal } from '../stores/postgres/access/principal.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import { addReceipt, countWaiting, openRequest, readRequest } from '../stores/postgres/erasure/gdpr-requests.ts';
import type { NewRequest, StoredRequest } from '../stores/postgres/erasure/gdpr-requests.ts';
import type { ApiDependencies } from './dependencies.ts';
import { viewOf } from './auth.ts';
import { ApiError, existing } from './errors.ts';

/** Requests of one user that may wait for a decision at the same time. */
const MAX_WAITING = 20;

/** Records requests of people about their data, with their deadlines. */
export function createDataRequests({ database, config }: Pick<ApiDependencies, 'database' | 'config'>) {
  /** Stores a request, or returns the one of the same id: its job was requested before. */
  const open = async (
    transaction: TenantTransaction,
    { tenantId, userId: requestedBy }: Principal,
    request: Pick<NewRequest, 'right' | 'kind' | 'state' | 'userId' | 'body'>,
    id: string = v7(),
  ): Promise<StoredRequest> => {
    const dueAt = deadlineOf(new Date(), config.gdpr.days);
    await openRequest(transaction, { ...request, id, tenantId, requestedBy, dueAt });
    return existing(await readRequest(transaction, id), 'request');
  };

  return {
    open,

    /** Stores a request that was met at once, with its receipt; returns its id. */
    async meet(
      transaction: TenantTransaction,
      principal: Principal,
      request: Pick<NewRequest, 'kind' | 'userId'> & { readonly right: 'restrict' | 'rectify' },
      result: RequestReceipt['result'],
    ): Promise<string> {
      const row = await open(transaction, principal, { ...request, state: 'completed' });
      const receipt = receiptOf({ ...row, right: request.right }, result, new Date());
      await addReceipt(transaction, row.id, signReceipt(receipt, config.backups.signingKey));
      return row.id;
    },

    /** Stores a request about data that others share, for the decision of an admin. @throws ApiError CONFLICT */
    wait: (
      principal: Principal,
      request: Pick<NewRequest, 'right' | 'kind'> & Required<Pick<NewRequest, 'body'>>,
    ): Promise<StoredRequest> =>
      database.asTenant(viewOf(principal), async (transaction) => {
        if ((await countWaiting(transaction, principal.userId)) >= MAX_WAITING)
          throw new ApiError('CONFLICT', `${MAX_WAITING} of your requests wait for a decision: wait for an admin`);
        return open(transaction, principal, { ...request, state: 'waiting', userId: principal.userId });
      }),
  };
}
