import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ListedTenant } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { fullCount } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { common } from '../../texts/common.ts';
import { inLanguage } from '../../texts/language.ts';
import { Invite } from '../people/invite.tsx';
import { TenantForm } from './tenant-form.tsx';
import { texts } from './texts.ts';

function State({ tenant }: { readonly tenant: ListedTenant }): JSX.Element {
  const t = inLanguage(texts);
  if (tenant.suspended_at === null) return <>{tenant.is_operator ? t.operators : t.active}</>;
  return (
    <span class="warn">
      <RelativeTime at={tenant.suspended_at} wrap={t.suspended} />
    </span>
  );
}

/** Tenants of the instance: added with their first admin, renamed, suspended and resumed; for operators. */
export default function TenantsPage(): JSX.Element {
  const t = inLanguage(texts);
  const list = useList('GET /admin/tenants', { query: { limit: 50 } }, ({ id }) => id);
  const [edited, setEdited] = useState<ListedTenant | 'new' | null>(null);
  const [suspended, setSuspended] = useState<ListedTenant | null>(null);
  const [token, setToken] = useState<string | null>(null);
  const act = useAct();
  const change = async (id: string, isSuspended: boolean): Promise<void> => {
    await ask('PUT /admin/tenants/{id}', { path: { id }, body: { suspended: isSuspended } });
    invalidate('/admin/tenants');
  };
  const invite = async (id: string): Promise<void> =>
    setToken((await ask('POST /admin/tenants/{id}/invite', { path: { id } })).invite.token);
  return (
    <div class="page">
      <div class="line">
        <h1>{t.title}</h1>
        <button type="button" class="primary" onClick={() => setEdited('new')}>
          {t.add}
        </button>
      </div>
      {act.note}
      <LoadedView of={list}>
        {({ next }) =>
          list.items.length === 0 ? (
            <Empty title={t.none} />
          ) : (
            <>
              <Table
                caption={t.title}
                rows={list.items}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.name, cell: ({ name }) => <Text text={name} /> },
                  { head: t.state, cell: (tenant) => <State tenant={tenant} /> },
                  { head: t.users, cell: ({ users }) => fullCount(users), isNumber: true },
                  { head: t.added, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                  {
                    head: t.change,
                    cell: (tenant) => (
                      <span class="line">
                        <button type="button" class="quiet" onClick={() => setEdited(tenant)}>
                          {t.rename}
                        </button>
                        {tenant.is_operator ? null : tenant.suspended_at === null ? (
                          <button type="button" class="quiet" onClick={() => setSuspended(tenant)}>
                            {t.suspend}
                          </button>
                        ) : (
                          <button
                            type="button"
                            class="quiet"
                            disabled={act.isRunning}
                            onClick={() => act.run(() => change(tenant.id, false), t.resumed)}
                          >
                            {t.resume}
                          </button>
                        )}
                        {tenant.is_operator ? null : (
                          <button
                            type="button"
                            class="quiet"
                            disabled={act.isRunning}
                            onClick={() => act.run(() => invite(tenant.id))}
                          >
                            {t.inviteAgain}
                          </button>
                        )}
                      </span>
                    ),
                  },
                ]}
              />
              {next === null ? null : (
                <button type="button" onClick={list.more}>
                  {inLanguage(common).more}
                </button>
              )}
            </>
          )
        }
      </LoadedView>
      <p class="muted">{t.hint}</p>
      {edited === null ? null : (
        <TenantForm tenant={edited === 'new' ? null : edited} onInvite={setToken} onClose={() => setEdited(null)} />
      )}
      {suspended === null ? null : (
        <Confirm
          title={t.suspend}
          action={t.suspend}
          isDangerous
          onConfirm={() => change(suspended.id, true)}
          onClose={() => setSuspended(null)}
        >
          <p>
            <Text text={suspended.name} />
          </p>
          <p>{t.suspendHint}</p>
        </Confirm>
      )}
      {token === null ? null : <Invite token={token} onClose={() => setToken(null)} />}
    </div>
  );
}
