import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LegalHold } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Checkbox, Choice, Field } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { requestTexts } from './request-texts.ts';
import { FILTERS } from './views.ts';

const SUBJECTS = ['tenant', 'project', 'session', 'user'] as const;

function AddLegalHold({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const r = inLanguage(requestTexts);
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
    <Confirm title={r.addLegalHold} action={r.add} onConfirm={add} onClose={onClose}>
      <div class="page">
        <p class="muted">{r.legalHoldHint}</p>
        <Choice
          label={r.subject}
          value={subject}
          options={SUBJECTS.map((value) => ({ value, text: r.subjects[value] }))}
          onValue={setSubject}
        />
        {subject === 'tenant' ? null : (
          <Field label={r.subjectId} required maxLength={256} value={id} onValue={setId} />
        )}
        <Field label={r.reason} required maxLength={500} value={reason} onValue={setReason} />
      </div>
    </Confirm>
  );
}

/** What retention and erasure may not delete, and why. */
export function LegalHolds(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
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
          {r.addLegalHold}
        </button>
        <Checkbox label={r.withReleased} checked={released} onValue={(is) => change({ released: is })} />
      </div>
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={r.noLegalHolds} command='recollect legal-hold add session ID --reason "…"' />
          ) : (
            <Table
              caption={t.tabs['legal-holds']}
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                { head: r.subject, cell: ({ subject }) => r.subjects[subject] },
                { head: r.subjectId, cell: ({ subject_id: id }) => <code>{id}</code> },
                { head: r.reason, cell: ({ reason }) => <Text text={reason} /> },
                { head: r.since, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                {
                  head: t.change,
                  cell: (legalHold) =>
                    legalHold.released_at === null ? (
                      <button type="button" class="quiet" onClick={() => setEnding(legalHold)}>
                        {r.release}
                      </button>
                    ) : (
                      <RelativeTime at={legalHold.released_at} wrap={r.releasedAt} />
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
          title={r.releaseTitle}
          action={r.release}
          isDangerous
          onConfirm={release}
          onClose={() => setEnding(null)}
        >
          <p>{r.releaseHint}</p>
        </Confirm>
      )}
    </div>
  );
}
