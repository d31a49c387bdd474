import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ListedTenant } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { loadMe } from '../../link/me.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { showToast } from '../../parts/toast.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** Adds a tenant with the invite of its first admin, or renames one. */
export function TenantForm(props: {
  readonly tenant: ListedTenant | null;
  readonly onInvite: (token: string) => void;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const { tenant } = props;
  const [name, setName] = useState(tenant?.name ?? '');
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const save = async (): Promise<void> => {
    if (tenant === null) {
      const admin = { username: username.trim(), ...(email.trim() === '' ? {} : { email: email.trim() }) };
      props.onInvite((await ask('POST /admin/tenants', { body: { name: name.trim(), admin } })).invite.token);
    } else {
      await ask('PUT /admin/tenants/{id}', { path: { id: tenant.id }, body: { name: name.trim() } });
      showToast({ text: t.saved });
      // The page shows the name of the own tenant.
      await loadMe();
    }
    invalidate('/admin/tenants');
  };
  return (
    <Confirm
      title={tenant === null ? t.add : t.rename}
      action={tenant === null ? t.add : t.save}
      onConfirm={save}
      onClose={props.onClose}
    >
      {(error) => (
        <div class="page">
          <Field
            label={t.name}
            autocomplete="off"
            required
            maxLength={128}
            value={name}
            fault={error?.fault('name')}
            onValue={setName}
          />
          {tenant === null ? (
            <>
              <Field
                label={t.admin}
                hint={t.adminHint}
                autocomplete="off"
                required
                maxLength={64}
                value={username}
                fault={error?.fault('admin.username')}
                onValue={setUsername}
              />
              <Field
                label={t.email}
                autocomplete="off"
                maxLength={254}
                value={email}
                fault={error?.fault('admin.email')}
                onValue={setEmail}
              />
            </>
          ) : null}
        </div>
      )}
    </Confirm>
  );
}
