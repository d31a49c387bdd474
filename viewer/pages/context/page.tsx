import type { JSX } from 'preact';
import { FilterField, Select } from '../../parts/fields.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { Preview } from './preview.tsx';
import { ServedList } from './served.tsx';
import { texts } from './texts.ts';
import { PURPOSES, VIEW } from './view.ts';

/** What agents are served: a preview, and the list of what they were served, with its use. */
export default function ContextPage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ tab, purpose, project, context }, change] = useQuery(VIEW);
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <Tabs
        label={t.title}
        tabs={[
          { name: 'preview', text: t.preview },
          { name: 'served', text: t.served },
        ]}
        selected={tab ?? 'preview'}
        onSelect={(name) => change({ tab: name === 'served' ? name : undefined })}
      >
        {tab === undefined ? (
          <Preview />
        ) : (
          <>
            <search class="filters">
              <Select
                label={t.purpose}
                value={purpose}
                options={PURPOSES.map((value) => ({ value, text: t.purposes[value] }))}
                onValue={(value) => change({ purpose: value })}
              />
              <FilterField
                label={t.project}
                value={project}
                onValue={(value) => change({ project: value }, { replace: true })}
              />
            </search>
            <ServedList filters={{ purpose, project }} open={context} onOpen={(id) => change({ context: id })} />
          </>
        )}
      </Tabs>
    </div>
  );
}
