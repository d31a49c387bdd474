import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Me, Passkey } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { hasPasskeys, registerPasskey } from '../../link/passkeys.ts';
import { loadMe } from '../../link/me.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { Fields, useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { logInTexts } from './log-in-texts.ts';
import { texts } from './texts.ts';

/** The name of a passkey. */
function NameField(props: {
  readonly label: string;
  readonly value: string;
  readonly fault: string | undefined;
  readonly onValue: (value: string) => void;
}): JSX.Element {
  const t = inLanguage(logInTexts);
  return <Field {...props} hint={t.passkeyNameHint} required maxLength={64} />;
}

/** Creates a passkey in the browser. */
function AddPasskey(): JSX.Element {
  const t = inLanguage(logInTexts);
  const [name, setName] = useState('');
  const [isNotCreated, setIsNotCreated] = useState(false);
  const act = useAct();
  const add = async (): Promise<void> => {
    setIsNotCreated(false);
    const isCreated = await registerPasskey(name.trim());
    setIsNotCreated(!isCreated);
    if (!isCreated) return;
    setName('');
    showToast({ text: t.passkeyAdded });
    invalidate('/auth/passkeys');
    await loadMe();
  };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          act.run(add);
        }}
      >
        <Fields act={act}>
          <NameField label={t.passkeyName} value={name} fault={act.error?.fault('name')} onValue={setName} />
        </Fields>
        <button type="submit" disabled={act.isRunning}>
          {t.addPasskey}
        </button>
      </form>
      {isNotCreated ? <p role="status">{t.notCreated}</p> : null}
      {act.note}
    </>
  );
}

/** The dialog with the new name of a passkey. */
function Rename({ passkey, onClose }: { readonly passkey: Passkey; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(logInTexts);
  const [name, setName] = useState(passkey.name);
  const rename = async (): Promise<void> => {
    await ask('PUT /auth/passkeys/{id}', { path: { id: passkey.id }, body: { name: name.trim() } });
    invalidate('/auth/passkeys');
  };
  return (
    <Confirm title={t.renamePasskey} action={t.renamePasskey} onConfirm={rename} onClose={onClose}>
      {(error) => <NameField label={t.newPasskeyName} value={name} fault={error?.fault('name')} onValue={setName} />}
    </Confirm>
  );
}

/** Passkeys of the user; a log-in adds, renames and removes them. `isOffered`: the address of the server can have passkeys. */
export function Passkeys({ user, isOffered }: { readonly user: Me; readonly isOffered: boolean }): JSX.Element {
  const t = inLanguage(logInTexts);
  const s = inLanguage(texts);
  const list = useResource('GET /auth/passkeys', {});
  const [renamed, setRenamed] = useState<Passkey | null>(null);
  const [removed, setRemoved] = useState<Passkey | null>(null);
  const isLogIn = user.credential.kind === 'session';
  const remove = async (): Promise<void> => {
    if (removed === null) return;
    await ask('DELETE /auth/passkeys/{id}', { path: { id: removed.id } });
    invalidate('/auth/passkeys');
    await loadMe();
  };
  return (
    <section class="panel">
      <h2>{t.passkeys}</h2>
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <p>
              {t.noPasskeys} {t.passkeysHint}
            </p>
          ) : (
            <Table
              caption={t.passkeys}
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                {
                  head: s.keyName,
                  cell: ({ name, synced }) => (
                    <>
                      <Text text={name} /> {synced ? <span class="muted">{t.synced}</span> : null}
                    </>
                  ),
                },
                {
                  head: s.lastUsed,
                  cell: ({ last_used_at: at }) => (at === null ? s.never : <RelativeTime at={at} />),
                },
                {
                  head: s.change,
                  cell: (passkey) =>
                    isLogIn ? (
                      <>
                        <button type="button" class="quiet" onClick={() => setRenamed(passkey)}>
                          {t.rename}
                        </button>
                        <button type="button" class="quiet" onClick={() => setRemoved(passkey)}>
                          {t.remove}
                        </button>
                      </>
                    ) : (
                      '–'
                    ),
                },
              ]}
            />
          )
        }
      </LoadedView>
      {!isOffered || !hasPasskeys() ? (
        <p class="muted">{t.noPasskeysHere}</p>
      ) : isLogIn ? (
        <AddPasskey />
      ) : (
        <p class="muted">{t.needsLogIn}</p>
      )}
      {renamed === null ? null : <Rename passkey={renamed} onClose={() => setRenamed(null)} />}
      {removed === null ? null : (
        <Confirm
          title={t.removePasskey}
          action={t.removePasskey}
          isDangerous
          onConfirm={remove}
          onClose={() => setRemoved(null)}
        >
          <p>
            <Text text={removed.name} />
          </p>
          <p>{t.removePasskeyHint}</p>
        </Confirm>
      )}
    </section>
  );
}
