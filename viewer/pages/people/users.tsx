import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { User } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { me } from '../../link/me.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field, Select } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { showToast } from '../../parts/toast.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, STATES } from './filters.ts';
import { Invite } from './invite.tsx';
import { texts } from './texts.ts';
import { transferTexts } from './transfer-texts.ts';
import { TransferLearnings } from './transfer.tsx';
import { UserForm } from './user-form.tsx';

/** Users with their invites; an invite is shown once. */
export function Users(): JSX.Element {
  const t = inLanguage(texts);
  const l = inLanguage(transferTexts);
  const [{ search, state }, change] = useQuery(FILTERS);
  const active = state === undefined ? {} : { active: state === 'active' };
  const list = useList('GET /admin/users', { query: { search, limit: 50, ...active } }, ({ id }) => id);
  const [edited, setEdited] = useState<User | 'new' | null>(null);
  const [leaver, setLeaver] = useState<User | null>(null);
  const [reset, setReset] = useState<User | null>(null);
  const [token, setToken] = useState<string | null>(null);
  const act = useAct();
  const invite = ({ id }: User) =>
    act.run(async () => {
      const answer = await ask('POST /admin/users/{id}/invite', { path: { id } });
      setToken(answer.invite.token);
      invalidate('/admin/users');
    });
  const resetFactors = async (): Promise<void> => {
    if (reset === null) return;
    const { removed } = await ask('DELETE /admin/users/{id}/mfa', { path: { id: reset.id } });
    showToast({ text: removed ? l.factorsReset : l.hadNoFactors });
  };
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs.users}</h2>
        <button type="button" class="primary" onClick={() => setEdited('new')}>
          {t.addUser}
        </button>
      </div>
      <search class="filters">
        <Field
          label={t.searchUsers}
          type="search"
          maxLength={200}
          value={search ?? ''}
          onValue={(value) => change({ search: value || undefined }, { replace: true })}
        />
        <Select
          label={t.state}
          value={state}
          options={STATES.map((value) => ({ value, text: t.states[value] }))}
          onValue={(value) => change({ state: value })}
        />
      </search>
      {act.note}
      <LoadedView of={list}>
        {({ next }) =>
          list.items.length === 0 ? (
            <Empty title={t.noUsers}>
              <button type="button" onClick={() => change({ search: undefined, state: undefined })}>
                {t.clear}
              </button>
            </Empty>
          ) : (
            <>
              <Table
                caption={t.tabs.users}
                rows={list.items}
                keyOf={({ id }) => id}
                columns={[
                  {
                    head: t.username,
                    cell: ({ username, email }) => (
                      <>
                        <Text text={username} />{' '}
                        {email === null ? null : (
                          <span class="muted">
                            <Text text={email} />
                          </span>
                        )}
                      </>
                    ),
                  },
                  { head: t.role, cell: ({ role }) => t.roles[role] },
                  {
                    head: t.state,
                    cell: (user) =>
                      user.invite_expires_at !== null ? (
                        <RelativeTime at={user.invite_expires_at} wrap={t.invited} />
                      ) : user.active ? (
                        t.states.active
                      ) : (
                        <span class="warn">{t.states.inactive}</span>
                      ),
                  },
                  { head: t.added, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                  {
                    head: t.change,
                    cell: (user) => (
                      <span class="line">
                        <button type="button" class="quiet" onClick={() => setEdited(user)}>
                          {t.edit}
                        </button>
                        {user.active && user.id !== me.value?.user.id ? (
                          <button type="button" class="quiet" disabled={act.isRunning} onClick={() => invite(user)}>
                            {t.inviteAgain}
                          </button>
                        ) : null}
                        <button type="button" class="quiet" onClick={() => setLeaver(user)}>
                          {l.transfer}
                        </button>
                        {user.id === me.value?.user.id ? null : (
                          <button type="button" class="quiet" onClick={() => setReset(user)}>
                            {l.resetFactors}
                          </button>
                        )}
                        <a href={`/people?tab=keys&user=${encodeURIComponent(user.id)}`}>{t.tabs.keys}</a>
                        <a href={`/people?tab=audit&user=${encodeURIComponent(user.id)}`}>{t.tabs.audit}</a>
                      </span>
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
      {edited === null ? null : (
        <UserForm user={edited === 'new' ? null : edited} onInvite={setToken} onClose={() => setEdited(null)} />
      )}
      {leaver === null ? null : <TransferLearnings user={leaver} onClose={() => setLeaver(null)} />}
      {reset === null ? null : (
        <Confirm
          title={l.resetFactors}
          action={l.resetFactors}
          isDangerous
          onConfirm={resetFactors}
          onClose={() => setReset(null)}
        >
          <p>
            <Text text={reset.username} />
          </p>
          <p>{l.resetFactorsHint}</p>
        </Confirm>
      )}
      {token === null ? null : <Invite token={token} onClose={() => setToken(null)} />}
    </div>
  );
}
