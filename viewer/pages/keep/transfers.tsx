import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Export, FileImport, Import } from '../../contract/index.ts';
import { addressOf, ask } from '../../link/ask.ts';
import { may, me } from '../../link/me.ts';
import { usePoll } from '../../link/poll.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { bytesText, fullCount } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { requestTexts } from './request-texts.ts';
import { uploadTexts } from './upload-texts.ts';
import { Upload } from './upload.tsx';
import { endsJob } from './views.ts';

const FIRST_ROWS = 10;
const MOST_ROWS = 100;

const sumOf = (rows: Readonly<Record<string, number>>): string =>
  fullCount(Object.values(rows).reduce((sum, count) => sum + count, 0));

/** State with its failure, and since when. */
function State({ of }: { readonly of: Export | Import | FileImport }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <>
      <span class={`badge ${of.state}`}>{t.states[of.state]}</span>{' '}
      {of.error === 'ExportFileError' ? inLanguage(uploadTexts).exportFileError : of.error}
    </>
  );
}

/** More rows of a list whose answer is limited. */
function useLimit(): readonly [number, (next: string | null) => ComponentChildren] {
  const t = inLanguage(texts);
  const [limit, setLimit] = useState(FIRST_ROWS);
  return [
    limit,
    (next) =>
      next !== null && limit < MOST_ROWS ? (
        <button type="button" onClick={() => setLimit(MOST_ROWS)}>
          {t.older}
        </button>
      ) : null,
  ];
}

function Exports(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const [limit, more] = useLimit();
  const list = useResource('GET /exports', { query: { limit } }, endsJob);
  usePoll(list.data?.data.some(({ state }) => state === 'running') === true, list.reload);
  return (
    <>
      <h2>{r.exports}</h2>
      <LoadedView of={list}>
        {({ data, pagination }) =>
          data.length === 0 ? (
            <Empty title={r.noExports} command="recollect export" />
          ) : (
            <>
              <Table
                caption={r.exports}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.started, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                  {
                    head: r.subject,
                    cell: ({ scope, subject }) => (
                      <>
                        {r.subjects[scope]} {subject === null ? null : <code>{subject}</code>}
                      </>
                    ),
                  },
                  { head: t.state, cell: (of) => <State of={of} /> },
                  { head: t.rows, cell: ({ rows }) => sumOf(rows), isNumber: true },
                  { head: r.size, cell: ({ bytes }) => bytesText(bytes), isNumber: true },
                  {
                    head: r.file,
                    cell: ({ id, state, expires_at: expiresAt }) =>
                      state === 'completed' ? (
                        <>
                          <a href={addressOf('GET /exports/{id}/file', { id })} download>
                            {r.download}
                          </a>{' '}
                          <RelativeTime at={expiresAt} wrap={r.expires} />
                        </>
                      ) : (
                        '–'
                      ),
                  },
                ]}
              />
              {more(pagination.next_cursor)}
            </>
          )
        }
      </LoadedView>
    </>
  );
}

function Imports(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const [limit, more] = useLimit();
  const list = useResource('GET /imports', { query: { limit } }, endsJob);
  const [cancelled, setCancelled] = useState<Import | null>(null);
  usePoll(list.data?.data.some(({ state }) => state === 'running') === true, list.reload);
  const isOwn = ({ user_id: user }: Import): boolean => me.value?.role === 'admin' || me.value?.user.id === user;
  const cancel = async (): Promise<void> => {
    if (cancelled === null) return;
    await ask('POST /imports/{id}/cancel', { path: { id: cancelled.id } });
    invalidate('/imports', '/jobs');
  };
  return (
    <>
      <h2>{r.imports}</h2>
      <LoadedView of={list}>
        {({ data, pagination }) =>
          data.length === 0 ? (
            <Empty title={r.noImports} command="recollect import transcripts" />
          ) : (
            <>
              <Table
                caption={r.imports}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.started, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                  { head: r.source, cell: ({ directory }) => <Text text={directory} /> },
                  { head: t.state, cell: (of) => <State of={of} /> },
                  {
                    head: r.progress,
                    cell: ({ files, rows }) =>
                      rows === null ? r.ofFiles(files.done, files.total) : r.ofRows(rows.done, rows.total),
                    isNumber: true,
                  },
                  { head: r.added, cell: ({ counts }) => fullCount(counts.added), isNumber: true },
                  {
                    head: t.change,
                    cell: (one) =>
                      one.state === 'running' && may('write') && isOwn(one) ? (
                        <button type="button" class="quiet" onClick={() => setCancelled(one)}>
                          {r.cancelImport}
                        </button>
                      ) : (
                        '–'
                      ),
                  },
                ]}
              />
              {more(pagination.next_cursor)}
            </>
          )
        }
      </LoadedView>
      {cancelled === null ? null : (
        <Confirm title={r.cancelImport} action={r.cancelImport} onConfirm={cancel} onClose={() => setCancelled(null)}>
          <p>{r.cancelImportHint}</p>
        </Confirm>
      )}
    </>
  );
}

function FileImports(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const [limit, more] = useLimit();
  const list = useResource('GET /imports/files', { query: { limit } }, endsJob);
  usePoll(list.data?.data.some(({ state }) => state === 'running') === true, list.reload);
  return (
    <>
      <h2>{r.fileImports}</h2>
      <Upload />
      <LoadedView of={list}>
        {({ data, pagination }) =>
          data.length === 0 ? (
            <Empty title={r.noFileImports} command="recollect import FILE" />
          ) : (
            <>
              <Table
                caption={r.fileImports}
                rows={data}
                keyOf={({ id }) => id}
                columns={[
                  { head: t.started, cell: ({ created_at: at }) => <RelativeTime at={at} /> },
                  { head: t.state, cell: (of) => <State of={of} /> },
                  { head: r.size, cell: ({ bytes }) => bytesText(bytes), isNumber: true },
                  { head: t.rows, cell: ({ read }) => sumOf(read), isNumber: true },
                  { head: r.added, cell: ({ written }) => sumOf(written), isNumber: true },
                ]}
              />
              {more(pagination.next_cursor)}
            </>
          )
        }
      </LoadedView>
    </>
  );
}

/** What came from other places and left for them. */
export function Transfers(): JSX.Element {
  return (
    <div class="page">
      <Exports />
      <Imports />
      {may('admin') ? <FileImports /> : null}
    </div>
  );
}
