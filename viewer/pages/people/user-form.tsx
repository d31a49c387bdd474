import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { User } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { me } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox, Field, Select } from '../../parts/fields.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

const ROLES = ['admin', 'viewer'] as const;

/** Adds a user with an invite, or changes role, email address and state of one. */
export function UserForm(props: {
  readonly user: User | null;
  readonly onInvite: (token: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const { user } = props;
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState(user?.email ?? '');
  const [role, setRole] = useState<User['role']>(user?.role ?? 'user');
  const [active, setActive] = useState(user?.active ?? true);
  const isSelf = user !== null && user.id === me.value?.user.id;
  const save = async (): Promise<void> => {
    if (user === null) {
      const body = { username: username.trim(), role, ...(email === '' ? {} : { email: email.trim() }) };
      props.onInvite((await ask('POST /admin/users', { body })).invite.token);
    } else {
      // What was not edited is left out: another admin may have changed it since the list was read.
      const given = email.trim() === '' ? null : email.trim();
      const body = {
        ...(role === user.role ? {} : { role }),
        ...(active === user.active ? {} : { active }),
        ...(given === user.email ? {} : { email: given }),
      };
      await ask('PUT /admin/users/{id}', { path: { id: user.id }, body });
    }
    invalidate('/admin/users');
  };
  return (
    <Confirm
      title={user === null ? t.addUser : t.editUser(user.username)}
      action={user === null ? t.addUser : t.save}
      onConfirm={save}
      onClose={props.onClose}
    >
      {(error) => (
        <div class="page">
          {user === null ? (
            <Field
              label={t.username}
              autocomplete="off"
              required
              maxLength={200}
              value={username}
              fault={error?.fault('username')}
              onValue={setUsername}
            />
          ) : null}
          <Field
            label={t.email}
            autocomplete="off"
            maxLength={254}
            value={email}
            fault={error?.fault('email')}
            onValue={setEmail}
          />
          <Select
            label={t.role}
            hint={t.roleHints[role]}
            any={t.roles.user}
            value={role === 'user' ? undefined : role}
            options={ROLES.map((value) => ({ value, text: t.roles[value] }))}
            onValue={(value) => setRole(value ?? 'user')}
          />
          {user === null || isSelf ? null : <Checkbox label={t.isActive} checked={active} onValue={setActive} />}
        </div>
      )}
    </Confirm>
  );
}
