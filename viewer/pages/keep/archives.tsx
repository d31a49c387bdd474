import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Archive } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { may } from '../../link/me.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { bytesText } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { FilterField } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView, More } from '../../parts/states.tsx';
import { showToast } from '../../parts/toast.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { requestTexts } from './request-texts.ts';
import { FILTERS } from './views.ts';

/** Archived sessions with the start of their summary; admins restore them. */
export function Archives(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const [{ q }, change] = useQuery(FILTERS);
  const list = useList('GET /archives', { query: { q, limit: 20 } }, ({ id }) => id);
  const [restored, setRestored] = useState<Archive | null>(null);
  const restore = async (): Promise<void> => {
    if (restored === null) return;
    await ask('POST /archives/{id}/restore', { path: { id: restored.id } });
    invalidate('/archives', '/jobs', '/sessions');
    showToast({ text: r.restoreStarted });
  };
  return (
    <div class="page">
      <h2>{t.tabs.archives}</h2>
      <search class="filters">
        <FilterField
          label={r.archiveSearch}
          maxLength={200}
          value={q}
          onValue={(value) => change({ q: value }, { replace: true })}
        />
      </search>
      <LoadedView of={list}>
        {() =>
          list.items.length === 0 ? (
            q === undefined ? (
              <Empty title={r.noArchives} command="recollect retention set session archive 730">
                <p>{r.noArchivesHint}</p>
              </Empty>
            ) : (
              <Empty title={r.noMatch}>
                <button type="button" onClick={() => change({ q: undefined })}>
                  {r.clear}
                </button>
              </Empty>
            )
          ) : (
            <>
              {list.items.map((archive) => (
                <article key={archive.id} class="panel">
                  <div class="line">
                    <h3>
                      <Text text={archive.title} />
                    </h3>
                    {may('admin') ? (
                      <button type="button" onClick={() => setRestored(archive)}>
                        {r.restoreArchive}
                      </button>
                    ) : null}
                  </div>
                  <p>
                    <Text text={archive.preview} />
                  </p>
                  <p class="muted">
                    {archive.project === null ? null : (
                      <>
                        <Text text={archive.project} />
                        {' · '}
                      </>
                    )}
                    <RelativeTime at={archive.archived_at} wrap={r.archivedAt} /> · {bytesText(archive.bytes)}
                  </p>
                </article>
              ))}
              <More of={list} />
            </>
          )
        }
      </LoadedView>
      {restored === null ? null : (
        <Confirm
          title={r.restoreArchive}
          counts={Object.entries(restored.counts)}
          action={r.restoreArchive}
          onConfirm={restore}
          onClose={() => setRestored(null)}
        >
          <p>
            <Text text={restored.title} />
          </p>
        </Confirm>
      )}
    </div>
  );
}
