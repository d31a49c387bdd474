import type { JSX } from 'preact';
import { may } from '../../link/me.ts';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, TABS } from './filters.ts';
import { HealthView } from './health.tsx';
import { TenantSettings } from './tenant.tsx';
import { texts } from './texts.ts';
import { You } from './you.tsx';

const CONTENT = { you: You, health: HealthView, tenant: TenantSettings };

/** Own settings and credentials, health of the instance, and settings of the tenant. */
export default function SettingsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ tab = 'you' }, change] = useQuery(FILTERS);
  const tabs = TABS.filter((name) => name !== 'tenant' || may('admin'));
  const shown = tabs.find((name) => name === tab) ?? 'you';
  const Content = CONTENT[shown];
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <Tabs
        label={t.title}
        tabs={tabs.map((name) => ({ name, text: t.tabs[name] }))}
        selected={shown}
        onSelect={(name) => change({ tab: name === 'you' ? undefined : name, revoked: false, ended: false })}
      >
        <Content />
      </Tabs>
    </div>
  );
}
