import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LegalHold } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox, Field, Select } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { FILTERS } from './views.ts';

const SUBJECTS = ['tenant', 'project', 'session', 'user'] as const;

function AddLegalHold({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const [subject, setSubject] = useState<LegalHold['subject']>('tenant');
  const [id, setId] = useState('');
  const [reason, setReason] = useState('');
  const add = async (): Promise<void> => {
    await ask('POST /admin/legal-holds', {
      body: subject === 'tenant' ? { subject, reason } : { subject, id: id.trim(), reason },
    });
    invalidate('/admin/legal-holds', '/admin/retention');
  };
  return (
    <Confirm title={t.addLegalHold} action={t.add} onConfirm={add} onClose={onClose}>
      <div class="page">
        <p class="muted">{t.legalHoldHint}</p>
        <Select
          label={t.subject}
          any={t.subjects.tenant}
          value={subject === 'tenant' ? undefined : subject}
          options={SUBJECTS.filter((name) => name !== 'tenant').map((value) => ({ value, text: t.subjects[value] }))}
          onValue={(value) => setSubject(value ?? 'tenant')}
        />
        {subject === 'tenant' ? null : (
          <Field label={t.subjectId} required maxLength={256} value={id} onValue={setId} />
        )}
        <Field label={t.reason} required maxLength={500} value={reason} onValue={setReason} />
      </div>
    </Confirm>
  );
}

/** What retention and erasure may not delete, and why. */
export function LegalHolds(): JSX.Element {
  const t = inLanguage(texts);
  const [{ released }, change] = useQuery(FILTERS);
  const list = useResource('GET /admin/legal-holds', { query: { released } });
  const [isAdding, setIsAdding] = useState(false);
  const [ending, setEnding] = useState<LegalHold | null>(null);
  const release = async (): Promise<void> => {
    if (ending === null) return;
    await ask('DELETE /admin/legal-holds/{id}', { path: { id: ending.id } });
    invalidate('/admin/legal-holds', '/admin/retention');
  };
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs['legal-holds']}</h2>
        <button type="button" class="primary" onClick={() => setIsAdding(true)}>
          {t.addLegalHold}
        </button>
        <Checkbox label={t.withReleased} checked={released} onValue={(is) => change({ released: is })} />
      </div>
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t.noLegalHolds} command='recollect legal-hold add session ID --reason "…"' />
          ) : (
            <Table
              caption={t.tabs['legal-holds']}
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                { head: t.subject, cell: ({ subject }) => t.subjects[subject] },
                { head: t.subjectId, cell: ({ subject_id: id }) => <code>{id}</code> },
                { head: t.reason, cell: ({ reason }) => <Text text={reason} /> },
                { head: t.since, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                {
                  head: t.change,
                  cell: (legalHold) =>
                    legalHold.released_at === null ? (
                      <button type="button" class="quiet" onClick={() => setEnding(legalHold)}>
                        {t.release}
                      </button>
                    ) : (
                      <RelativeTime at={legalHold.released_at} wrap={t.releasedAt} />
                    ),
                },
              ]}
            />
          )
        }
      </LoadedView>
      {isAdding ? <AddLegalHold onClose={() => setIsAdding(false)} /> : null}
      {ending === null ? null : (
        <Confirm
          title={t.releaseTitle}
          action={t.release}
          isDangerous
          onConfirm={release}
          onClose={() => setEnding(null)}
        >
          <p>{t.releaseHint}</p>
        </Confirm>
      )}
    </div>
  );
}
