import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Transfer, User } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate } from '../../link/resource.ts';
import { Fields, useAct } from '../../parts/act.tsx';
import { fullCount } from '../../parts/amounts.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { Text } from '../../parts/quoted.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { transferTexts } from './transfer-texts.ts';

const KINDS = ['extracted', 'by_hand', 'closed', 'erased_with_user'] as const;

/** Another user becomes the owner of the shared learnings of one who leaves: counted first, for the same new owner. */
export function TransferLearnings({
  user,
  onClose,
}: {
  readonly user: User;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(transferTexts);
  const [to, setTo] = useState('');
  const [counted, setCounted] = useState<Transfer | null>(null);
  const act = useAct();
  const send = (dryRun: boolean): Promise<Transfer> =>
    ask('POST /admin/users/{id}/transfer', { path: { id: user.id }, body: { to: to.trim(), dry_run: dryRun } });
  const count = async (): Promise<void> => setCounted(await send(true));
  const transfer = async (): Promise<void> => {
    const { learnings } = await send(false);
    invalidate('/learnings');
    showToast({ text: t.transferred(fullCount(learnings.extracted + learnings.by_hand), to.trim()) });
    onClose();
  };
  return (
    <Dialog title={t.titleOf(user.username)} onClose={onClose}>
      <div class="page">
        <p>{t.hint}</p>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.run(count);
          }}
        >
          <Fields act={act}>
            <Field
              label={t.to}
              hint={t.toHint}
              autocomplete="off"
              required
              maxLength={256}
              value={to}
              fault={act.error?.fault('to')}
              onValue={(value) => {
                setTo(value);
                setCounted(null);
              }}
            />
            <button type="submit" class={counted === null ? 'primary' : undefined} disabled={act.isRunning}>
              {t.count}
            </button>
          </Fields>
        </form>
        {counted === null ? null : (
          <>
            <p>
              {t.moves} <Text text={to.trim()} />:
            </p>
            <Pairs of={KINDS.map((kind) => [t.kinds[kind], fullCount(counted.learnings[kind])])} />
          </>
        )}
        {act.note}
        {counted === null ? null : (
          <footer class="line">
            <button type="button" class="danger" disabled={act.isRunning} onClick={() => act.run(transfer)}>
              {t.transfer}
            </button>
          </footer>
        )}
      </div>
    </Dialog>
  );
}
