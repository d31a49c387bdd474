import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Me, UserSession } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { me } from '../../link/me.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox, Select } from '../../parts/fields.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { changeSettings, settings } from '../../settings.ts';
import { signOutOfServer } from '../../shell/sign-out.ts';
import { common } from '../../texts/common.ts';
import { inLanguage } from '../../texts/language.ts';
import { managesAccount } from './account.ts';
import { Authenticator } from './authenticator.tsx';
import { Clients } from './clients.tsx';
import { logInTexts } from './log-in-texts.ts';
import { OwnKeys } from './own-keys.tsx';
import { Passkeys } from './passkeys.tsx';
import { Password } from './password.tsx';
import { texts } from './texts.ts';

function Appearance(): JSX.Element {
  const t = inLanguage(texts);
  const names = inLanguage(common);
  const { theme, language, singleKeys } = settings.value;
  return (
    <section class="panel">
      <h2>{t.appearance}</h2>
      <Select
        label={t.theme}
        any={names.theme.system}
        value={theme === 'system' ? undefined : theme}
        options={[
          { value: 'light', text: names.theme.light },
          { value: 'dark', text: names.theme.dark },
        ]}
        onValue={(value) => changeSettings({ theme: value ?? 'system' })}
      />
      <Select
        label={t.language}
        any="English"
        value={language === 'en' ? undefined : language}
        options={[{ value: 'zh', text: '中文' }]}
        onValue={(value) => changeSettings({ language: value ?? 'en' })}
      />
      <Checkbox label={t.singleKeys} checked={singleKeys} onValue={(isOn) => changeSettings({ singleKeys: isOn })} />
      <p class="muted">{t.ofBrowser}</p>
    </section>
  );
}

function Account(): JSX.Element {
  const t = inLanguage(texts);
  const act = useAct();
  const user = me.value;
  const facts: readonly (readonly [string, string])[] =
    user === null || user === undefined
      ? []
      : [
          [t.username, user.user.username],
          [t.email, user.user.email ?? t.none],
          [t.tenant, user.tenant.name],
          [t.role, user.role],
          [t.scopes, user.scopes.join(', ')],
        ];
  return (
    <section class="panel">
      <h2>{t.account}</h2>
      <Pairs of={facts} />
      {act.note}
      <p>
        <button type="button" disabled={act.isRunning} onClick={() => act.run(signOutOfServer)}>
          {t.signOut}
        </button>
      </p>
    </section>
  );
}

/** Browsers and log-ins of the user; each can be ended. */
function OwnSessions(): JSX.Element {
  const t = inLanguage(texts);
  const list = useResource('GET /auth/sessions', {});
  const [isEnding, setIsEnding] = useState(false);
  const act = useAct();
  const end = ({ id }: UserSession) =>
    act.run(async () => {
      await ask('DELETE /auth/sessions/{id}', { path: { id } });
      invalidate('/auth/sessions');
    }, t.sessionEnded);
  return (
    <section class="panel">
      <div class="line">
        <h2>{t.sessions}</h2>
        {(list.data?.data.length ?? 0) > 1 ? (
          <button type="button" onClick={() => setIsEnding(true)}>
            {t.endOthers}
          </button>
        ) : null}
      </div>
      {act.note}
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <p class="muted">{t.noSessions}</p>
          ) : (
            <Table
              caption={t.sessions}
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                {
                  head: t.browser,
                  cell: ({ user_agent: agent, address }) => (
                    <>
                      <Text text={agent ?? t.none} /> {address}
                    </>
                  ),
                },
                { head: t.signedInBy, cell: ({ methods }) => methods.join(', ') },
                { head: t.lastUsed, cell: ({ last_used_at: at }) => <RelativeTime at={at} /> },
                { head: t.ends, cell: ({ expires_at: at }) => <RelativeTime at={at} /> },
                {
                  head: t.change,
                  cell: (session) =>
                    session.is_current ? (
                      t.thisOne
                    ) : (
                      <button type="button" class="quiet" disabled={act.isRunning} onClick={() => end(session)}>
                        {t.end}
                      </button>
                    ),
                },
              ]}
            />
          )
        }
      </LoadedView>
      {isEnding ? (
        <Confirm
          title={t.endOthersTitle}
          counts={[[t.sessions, (list.data?.data.length ?? 1) - 1]]}
          action={t.endOthers}
          isDangerous
          onConfirm={async () => {
            await ask('DELETE /auth/sessions', {});
            invalidate('/auth/sessions');
          }}
          onClose={() => setIsEnding(false)}
        />
      ) : null}
    </section>
  );
}

/** Password, second factors, sign-ins, keys and clients of the user, for a sign-in that may manage them. */
function Credentials({ user }: { readonly user: Me }): JSX.Element {
  const { data: about } = useResource('GET /about', {});
  if (!managesAccount(user)) return <p class="muted">{inLanguage(logInTexts).notManaged}</p>;
  return (
    <>
      {about?.sign_in.password === true ? (
        <div class="panels">
          <Password user={user} />
          <Authenticator user={user} />
          <Passkeys user={user} isOffered={about.sign_in.passkeys} />
        </div>
      ) : null}
      <OwnSessions />
      <OwnKeys />
      <Clients />
    </>
  );
}

/** Settings of this browser, and the credentials of the user. */
export function You(): JSX.Element {
  const user = me.value ?? null;
  return (
    <div class="page">
      <div class="panels">
        <Appearance />
        <Account />
      </div>
      {user === null ? null : <Credentials user={user} />}
    </div>
  );
}
