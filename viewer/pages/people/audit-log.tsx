import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AuditEntry, AuditVerification } from '../../contract/index.ts';
import { addressOf, ask } from '../../link/ask.ts';
import { useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { fullCount } from '../../parts/amounts.ts';
import { Field, Select } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, STATUSES, rangeOf } from './filters.ts';
import { texts } from './texts.ts';

const PAGE_ROWS = 50;
const TEXT_FILTERS = ['user', 'action', 'subject'] as const;
const DAYS = ['since', 'until'] as const;
const REFUSED = 400;

/** Verifies the chain: an entry that was changed or removed breaks it. */
function Verify(): JSX.Element {
  const t = inLanguage(texts);
  const act = useAct();
  const [result, setResult] = useState<AuditVerification | null>(null);
  const verify = async (): Promise<void> => setResult(await ask('POST /admin/audit-log/verify', {}));
  return (
    <>
      <button type="button" disabled={act.isRunning} onClick={() => act.run(verify)}>
        {t.verify}
      </button>
      {act.note}
      {result === null ? null : (
        <p role="status" class={result.ok ? 'good' : 'bad'}>
          {result.first_fault === null
            ? t.chainOk(fullCount(result.checked))
            : t.chainFault(String(result.first_fault.seq), result.first_fault.kind)}
        </p>
      )}
    </>
  );
}

/** A name, with its id for the filters; the id alone if what it names has no name any more. */
function Named({ id, name }: { readonly id: string | null; readonly name: string | null }): JSX.Element | string {
  if (id === null) return '–';
  return (
    <>
      {name === null ? null : <Text text={name} />} <code>{id}</code>
    </>
  );
}

/** Who did what, newest first; filters and the page are in the address. */
export function AuditLog(): JSX.Element {
  const t = inLanguage(texts);
  const [filters, change] = useQuery(FILTERS);
  const { user, action, subject, status, cursor } = filters;
  const narrowing = {
    user,
    action,
    subject,
    status: status === undefined ? undefined : Number(status),
    ...rangeOf(filters.since, filters.until),
  };
  const list = useResource('GET /admin/audit-log', { query: { ...narrowing, cursor, limit: PAGE_ROWS } });
  const isFiltered = Object.values(narrowing).some((value) => value !== undefined);
  const narrow = (more: Partial<typeof filters>): void => change({ ...more, cursor: undefined }, { replace: true });
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs.audit}</h2>
        <Verify />
        <a href={addressOf('GET /admin/audit-log/export', {}, narrowing)} download>
          {t.export}
        </a>
      </div>
      <search class="filters">
        {TEXT_FILTERS.map((name) => (
          <Field
            key={name}
            label={t.auditFilters[name]}
            type="search"
            maxLength={256}
            value={filters[name] ?? ''}
            fault={list.error?.fault(name)}
            onValue={(value) => narrow({ [name]: value || undefined })}
          />
        ))}
        {DAYS.map((name) => (
          <Field
            key={name}
            label={t.auditFilters[name]}
            type="date"
            value={filters[name] ?? ''}
            onValue={(value) => narrow({ [name]: value || undefined })}
          />
        ))}
        <Select
          label={t.status}
          value={status}
          options={STATUSES.map((value) => ({ value, text: t.statuses[value] }))}
          onValue={(value) => narrow({ status: value })}
        />
      </search>
      <LoadedView of={list}>
        {({ data, next_cursor: next }) =>
          data.length === 0 ? (
            <Empty title={t.noEntries} {...(isFiltered ? {} : { command: 'recollect audit' })}>
              {isFiltered ? (
                <button
                  type="button"
                  onClick={() =>
                    narrow({
                      user: undefined,
                      action: undefined,
                      subject: undefined,
                      status: undefined,
                      since: undefined,
                      until: undefined,
                    })
                  }
                >
                  {t.clear}
                </button>
              ) : null}
            </Empty>
          ) : (
            <>
              <Table
                caption={t.tabs.audit}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.number, cell: ({ seq }: AuditEntry) => fullCount(seq), isNumber: true },
                  { head: t.time, cell: ({ occurred_at: at }) => <RelativeTime at={at} /> },
                  { head: t.action, cell: (entry) => <code>{entry.action}</code> },
                  {
                    head: t.status,
                    cell: (entry) => <span class={entry.status >= REFUSED ? 'bad' : 'good'}>{entry.status}</span>,
                  },
                  { head: t.user, cell: (entry) => <Named id={entry.user_id} name={entry.user_name} /> },
                  {
                    head: t.credential,
                    cell: (entry) => (
                      <>
                        {entry.credential_kind === null ? null : t.credentials[entry.credential_kind]}{' '}
                        <Named id={entry.credential_id} name={entry.credential_name} />
                      </>
                    ),
                  },
                  {
                    head: t.auditFilters.subject,
                    cell: ({ subject_type: type, subject_id: id, subject_name: name }) => (
                      <>
                        {type} <Named id={id} name={name} />
                      </>
                    ),
                  },
                  { head: t.from, cell: ({ address }) => address ?? '–' },
                ]}
              />
              <p class="line">
                {cursor === undefined ? null : (
                  <button type="button" onClick={() => change({ cursor: undefined })}>
                    {t.newest}
                  </button>
                )}
                {next === null ? null : (
                  <button type="button" onClick={() => change({ cursor: next })}>
                    {t.older}
                  </button>
                )}
              </p>
            </>
          )
        }
      </LoadedView>
    </div>
  );
}
