import type { JSX } from 'preact';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { AuditLog } from './audit-log.tsx';
import { FILTERS, TABS } from './filters.ts';
import { Keys } from './keys.tsx';
import { texts } from './texts.ts';
import { Users } from './users.tsx';

const CONTENT = { users: Users, keys: Keys, audit: AuditLog };

/** Users of the tenant, their keys, and the log of what was done; for admins. */
export default function PeoplePage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ tab = 'users' }, change] = useQuery(FILTERS);
  const Content = CONTENT[tab];
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <Tabs
        label={t.title}
        tabs={TABS.map((name) => ({ name, text: t.tabs[name] }))}
        selected={tab}
        onSelect={(name) => change({ tab: name === 'users' ? undefined : name })}
      >
        <Content />
      </Tabs>
    </div>
  );
}
