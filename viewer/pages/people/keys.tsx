import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiKey } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox, Field } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Secret } from '../../parts/secret.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS } from './filters.ts';
import { texts } from './texts.ts';

const SCOPES = ['capture', 'read', 'write', 'admin'] as const;
type Scope = (typeof SCOPES)[number];

function CreateKey(props: {
  readonly user: string | undefined;
  readonly onCreated: (key: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const [user, setUser] = useState(props.user ?? '');
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['capture', 'read']);
  const create = async (): Promise<void> => {
    const body = { name: name.trim(), scopes, ...(user.trim() === '' ? {} : { user: user.trim() }) };
    props.onCreated((await ask('POST /admin/api-keys', { body })).api_key);
    invalidate('/admin/api-keys', '/auth/api-keys');
  };
  return (
    <Confirm title={t.createKey} action={t.createKey} onConfirm={create} onClose={props.onClose}>
      <div class="page">
        <Field label={t.keyName} required maxLength={200} value={name} onValue={setName} />
        <Field label={t.ofUser} hint={t.ofUserHint} maxLength={256} value={user} onValue={setUser} />
        <fieldset>
          <legend>{t.scopes}</legend>
          {SCOPES.map((scope) => (
            <Checkbox
              key={scope}
              label={`${scope}: ${t.scopeHints[scope]}`}
              checked={scopes.includes(scope)}
              onValue={(isOn) => setScopes(SCOPES.filter((one) => (one === scope ? isOn : scopes.includes(one))))}
            />
          ))}
        </fieldset>
      </div>
    </Confirm>
  );
}

/** Keys of all users; a new one is shown once. */
export function Keys(): JSX.Element {
  const t = inLanguage(texts);
  const [{ user, revoked }, change] = useQuery(FILTERS);
  const list = useList('GET /admin/api-keys', { query: { user, revoked, limit: 50 } }, ({ id }) => id);
  const [isCreating, setIsCreating] = useState(false);
  const [ending, setEnding] = useState<ApiKey | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const revoke = async (): Promise<void> => {
    if (ending === null) return;
    await ask('DELETE /admin/api-keys/{id}', { path: { id: ending.id } });
    invalidate('/admin/api-keys', '/auth/api-keys');
  };
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs.keys}</h2>
        <button type="button" class="primary" onClick={() => setIsCreating(true)}>
          {t.createKey}
        </button>
      </div>
      <search class="filters">
        <Field
          label={t.user}
          type="search"
          maxLength={256}
          value={user ?? ''}
          onValue={(value) => change({ user: value || undefined }, { replace: true })}
        />
        <Checkbox label={t.withRevoked} checked={revoked} onValue={(isOn) => change({ revoked: isOn })} />
      </search>
      <LoadedView of={list}>
        {({ next }) =>
          list.items.length === 0 ? (
            <Empty title={t.noKeys}>
              <button type="button" onClick={() => change({ user: undefined })}>
                {t.clear}
              </button>
            </Empty>
          ) : (
            <>
              <Table
                caption={t.tabs.keys}
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
                  { head: t.user, cell: ({ username }) => <Text text={username} /> },
                  {
                    head: t.scopes,
                    cell: ({ scopes, namespaces, projects }) => (
                      <>
                        {scopes.join(', ')}
                        {namespaces.length + projects.length === 0 ? null : (
                          <span class="muted"> {t.bound(String(namespaces.length), String(projects.length))}</span>
                        )}
                      </>
                    ),
                  },
                  {
                    head: t.lastUsed,
                    cell: ({ last_used_at: at }) => (at === null ? t.never : <RelativeTime at={at} />),
                  },
                  { head: t.ends, cell: ({ expires_at: at }) => (at === null ? t.never : <RelativeTime at={at} />) },
                  {
                    head: t.change,
                    cell: (key) =>
                      key.revoked_at === null ? (
                        <button type="button" class="quiet" onClick={() => setEnding(key)}>
                          {t.revoke}
                        </button>
                      ) : (
                        <RelativeTime at={key.revoked_at} wrap={t.revokedAt} />
                      ),
                  },
                ]}
              />
              {next === null ? null : (
                <button type="button" onClick={list.more}>
                  {t.more}
                </button>
              )}
            </>
          )
        }
      </LoadedView>
      {isCreating ? <CreateKey user={user} onCreated={setSecret} onClose={() => setIsCreating(false)} /> : null}
      {ending === null ? null : (
        <Confirm title={t.revoke} action={t.revoke} isDangerous onConfirm={revoke} onClose={() => setEnding(null)}>
          <p>
            <Text text={`${ending.username}: ${ending.name}`} /> <code>{ending.prefix}…</code>
          </p>
          <p>{t.revokeHint}</p>
        </Confirm>
      )}
      {secret === null ? null : (
        <Secret title={t.newKey} hint={t.shownOnce} text={secret} onClose={() => setSecret(null)} />
      )}
    </div>
  );
}
