import { transferAnswer, transferBody, userParams } from '../../../contract/access.ts';
import { FIRST_ID } from '../../../domain/ids.ts';
import { transferLearnings } from '../../../stores/postgres/access/transfer.ts';
import { lockAccess } from '../../../stores/postgres/access/users.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { isBeingErased } from '../../../stores/postgres/erasure/erasures.ts';
import { restrictedUsers } from '../../../stores/postgres/erasure/restricted.ts';
import { assertNoLegalHold } from '../../../stores/postgres/retention/legal-holds.ts';
import { requireActive, userOf } from '../../access-rules.ts';
import { guardedRoute, principalOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { conflict, invalid } from '../../errors.ts';

/** Returns the ids of the former and the new owner. They cannot change until the transaction ends. @throws ApiError, LegalHoldError */
async function ownersOf(transaction: TenantTransaction, given: { readonly from: string; readonly to: string }) {
  await lockAccess(transaction);
  const from = await userOf(transaction, given.from);
  const to = await userOf(transaction, given.to, 'to');
  if (from.id === to.id) throw invalid('to', 'is the same user');
  requireActive(to, 'to');
  if (to.role === 'viewer') throw conflict('to', 'is a viewer, who changes nothing', 'the user');
  await assertNoLegalHold(transaction, { userId: from.id });
  const restricted = await restrictedUsers(transaction);
  for (const [field, { id }] of [['id', from] as const, ['to', to] as const]) {
    if (restricted.includes(id)) throw conflict(field, 'is restricted', 'the user');
    if (await isBeingErased(transaction, id)) throw conflict(field, 'is being erased', 'the user');
  }
  return { fromId: from.id, toId: to.id };
}

/** `POST /admin/users/{id}/transfer`: what a user who leaves owns gets another owner. */
export function transferRoutes(app: Api, { database }: ApiDependencies): void {
  app.post(
    '/admin/users/:id/transfer',
    guardedRoute('admin', {
      tags: ['access'],
      summary: 'Make another user the owner of the shared learnings of a user',
      description:
        'Learnings of every origin with all their versions; private ones, sessions and their rows remain with the user. Rejected while either user is being erased or restricted, or a legal hold is on the data of the user. A repeated request transfers what an interrupted one left.',
      params: userParams,
      body: transferBody,
      response: { 200: transferAnswer },
    }),
    async (request) => {
      const { to, dry_run: isDryRun } = request.body;
      const principal = principalOf(request);
      const learnings = { extracted: 0, by_hand: 0, closed: 0, erased_with_user: 0 };
      for (let after: string = FIRST_ID; ;) {
        const start = after;
        const batch = await database.asTenant(viewOf(principal), async (transaction) => {
          const owners = await ownersOf(transaction, { from: request.params.id, to });
          return { ...owners, ...(await transferLearnings(transaction, { ...owners, after: start, isDryRun })) };
        });
        const { fromId, toId, counts, last } = batch;
        learnings.extracted += counts.extracted;
        learnings.by_hand += counts.byHand;
        learnings.closed += counts.closed;
        learnings.erased_with_user += counts.erasedWithUser;
        // The audit log names the former owner alone.
        request.log.info({ from: fromId, to: toId, isDryRun, ...counts }, 'learnings transferred');
        if (last === null) return { id: fromId, to: toId, dry_run: isDryRun, learnings };
        after = last;
      }
    },
  );
}
