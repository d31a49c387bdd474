import type { JSX } from 'preact';
import { may, mayOperate } from '../../link/me.ts';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { Archives } from './archives.tsx';
import { Backups } from './backups.tsx';
import { Checks } from './checks.tsx';
import { LegalHolds } from './legal-holds.tsx';
import { Requests } from './requests.tsx';
import { Retention } from './retention.tsx';
import { texts } from './texts.ts';
import { Transfers } from './transfers.tsx';
import { FILTERS, offeredTabs } from './views.ts';

const CONTENT = {
  backups: Backups,
  retention: Retention,
  'legal-holds': LegalHolds,
  checks: Checks,
  archives: Archives,
  requests: Requests,
  transfers: Transfers,
};

/** What preserves data, and what removes it. */
export default function KeepPage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ tab }, change] = useQuery(FILTERS);
  const tabs = offeredTabs({ isOperator: mayOperate(), isAdmin: may('admin') });
  const shown = tabs.find((name) => name === tab) ?? tabs[0] ?? 'archives';
  const Content = CONTENT[shown];
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <Tabs
        label={t.title}
        tabs={tabs.map((name) => ({ name, text: t.tabs[name] }))}
        selected={shown}
        onSelect={(name) => change({ tab: name, run: undefined })}
      >
        <Content key={shown} />
      </Tabs>
    </div>
  );
}
