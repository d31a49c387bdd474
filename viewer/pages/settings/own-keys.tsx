import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiKey } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { me } from '../../link/me.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Secret } from '../../parts/secret.tsx';
import { LoadedView, More } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS } from './filters.ts';
import { texts } from './texts.ts';

/** Seconds for which a rotated key still works, so that agents get the new one. */
const OVERLAP_S = 3_600;

/** Own keys; each can be replaced or revoked. */
export function OwnKeys(): JSX.Element {
  const t = inLanguage(texts);
  const [{ revoked }, change] = useQuery(FILTERS);
  const list = useList('GET /auth/api-keys', { query: { limit: 50, revoked } }, ({ id }) => id);
  const [chosen, setChosen] = useState<{ readonly key: ApiKey; readonly action: 'rotate' | 'revoke' } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const run = async (): Promise<void> => {
    if (chosen === null) return;
    const path = { id: chosen.key.id };
    if (chosen.action === 'revoke') await ask('DELETE /auth/api-keys/{id}', { path });
    else {
      const answer = await ask('POST /auth/api-keys/{id}/rotate', { path, body: { overlap_s: OVERLAP_S } });
      setSecret(answer.api_key);
    }
    invalidate('/auth/api-keys');
  };
  return (
    <section class="panel">
      <div class="line">
        <h2>{t.keys}</h2>
        <Checkbox
          label={t.withRevoked}
          checked={revoked}
          onValue={(isOn) => change({ revoked: isOn }, { replace: true })}
        />
      </div>
      <LoadedView of={list}>
        {() => (
          <Table
            caption={t.keys}
            rows={list.items}
            keyOf={({ id }) => id}
            columns={[
              {
                head: t.keyName,
                cell: ({ name, prefix }) => (
                  <>
                    <Text text={name} /> <code>{prefix}…</code>
                  </>
                ),
              },
              { head: t.scopes, cell: ({ scopes }) => scopes.join(', ') },
              {
                head: t.lastUsed,
                cell: ({ last_used_at: at }) => (at === null ? t.never : <RelativeTime at={at} />),
              },
              { head: t.ends, cell: ({ expires_at: at }) => (at === null ? t.never : <RelativeTime at={at} />) },
              {
                head: t.change,
                cell: (key) =>
                  key.revoked_at !== null ? (
                    <RelativeTime at={key.revoked_at} wrap={t.revokedAt} />
                  ) : (
                    <span class="line">
                      {key.id === me.value?.credential.id ? <span class="muted">{t.thisKey}</span> : null}
                      {key.replaced_by === null ? (
                        <button type="button" class="quiet" onClick={() => setChosen({ key, action: 'rotate' })}>
                          {t.rotate}
                        </button>
                      ) : null}
                      <button type="button" class="quiet" onClick={() => setChosen({ key, action: 'revoke' })}>
                        {t.revoke}
                      </button>
                    </span>
                  ),
              },
            ]}
          />
        )}
      </LoadedView>
      <More of={list} />
      {chosen === null ? null : (
        <Confirm
          title={chosen.action === 'rotate' ? t.rotate : t.revoke}
          action={chosen.action === 'rotate' ? t.rotate : t.revoke}
          isDangerous={chosen.action === 'revoke'}
          onConfirm={run}
          onClose={() => setChosen(null)}
        >
          <p>
            <Text text={chosen.key.name} /> <code>{chosen.key.prefix}…</code>
          </p>
          <p>{chosen.action === 'rotate' ? t.rotateHint : t.revokeHint}</p>
        </Confirm>
      )}
      {secret === null ? null : (
        <Secret title={t.newKey} hint={t.shownOnce} text={secret} onClose={() => setSecret(null)} />
      )}
    </section>
  );
}
