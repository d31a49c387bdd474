import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Grant } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { common } from '../../texts/common.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS } from './filters.ts';
import { logInTexts } from './log-in-texts.ts';
import { texts } from './texts.ts';

/** Name and host of a client. The name is what the client calls itself. */
function ClientName({ grant }: { readonly grant: Grant }): JSX.Element {
  return (
    <>
      {grant.client_name === null ? null : <Text text={grant.client_name} />} <code>{grant.client_host}</code>
    </>
  );
}

/** OAuth clients to which the user gave access, such as MCP clients; each can be revoked. */
export function Clients(): JSX.Element {
  const t = inLanguage(logInTexts);
  const s = inLanguage(texts);
  const [{ ended }, change] = useQuery(FILTERS);
  const list = useList('GET /auth/grants', { query: { limit: 50, ended } }, ({ id }) => id);
  const [revoked, setRevoked] = useState<Grant | null>(null);
  const revoke = async (): Promise<void> => {
    if (revoked === null) return;
    await ask('DELETE /auth/grants/{id}', { path: { id: revoked.id } });
    invalidate('/auth/grants');
  };
  const reasonOf = (reason: string | null): string =>
    Object.entries(t.reasons).find(([name]) => name === reason)?.[1] ?? '';
  return (
    <section class="panel">
      <div class="line">
        <h2>{t.clients}</h2>
        <Checkbox label={t.withEnded} checked={ended} onValue={(isOn) => change({ ended: isOn }, { replace: true })} />
      </div>
      <LoadedView of={list}>
        {({ next }) =>
          list.items.length === 0 ? (
            <p class="muted">
              {t.noClients} {t.clientsHint}
            </p>
          ) : (
            <>
              <Table
                caption={t.clients}
                rows={list.items}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.client, cell: (grant) => <ClientName grant={grant} /> },
                  { head: t.scopes, cell: ({ scopes }) => scopes.join(', ') },
                  {
                    head: s.lastUsed,
                    cell: ({ last_used_at: at }) => (at === null ? s.never : <RelativeTime at={at} />),
                  },
                  { head: s.ends, cell: ({ expires_at: at }) => <RelativeTime at={at} /> },
                  {
                    head: s.change,
                    cell: (grant) =>
                      grant.ended_at === null ? (
                        <button type="button" class="quiet" onClick={() => setRevoked(grant)}>
                          {s.revoke}
                        </button>
                      ) : (
                        <>
                          <RelativeTime at={grant.ended_at} wrap={t.endedAt} /> {reasonOf(grant.end_reason)}
                        </>
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
      {revoked === null ? null : (
        <Confirm
          title={t.revokeClient}
          action={t.revokeClient}
          isDangerous
          onConfirm={revoke}
          onClose={() => setRevoked(null)}
        >
          <p>
            <ClientName grant={revoked} />
          </p>
          <p>{t.revokeClientHint}</p>
        </Confirm>
      )}
    </section>
  );
}
