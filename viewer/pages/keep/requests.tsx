import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { GdprRequest } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { may } from '../../link/me.ts';
import { usePoll } from '../../link/poll.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { fullCount } from '../../parts/amounts.ts';
import { Copy } from '../../parts/copy.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field, Select } from '../../parts/fields.tsx';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView, More } from '../../parts/states.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { requestTexts } from './request-texts.ts';
import { FILTERS, endsJob } from './views.ts';

type Decision = 'approve' | 'decline';

/** The receipt of an erasure, as it was signed. */
function Receipt({ receipt }: { readonly receipt: NonNullable<GdprRequest['receipt']> }): JSX.Element {
  const r = inLanguage(requestTexts);
  return (
    <details>
      <summary>{r.receipt}</summary>
      <p class="line">
        SHA-256 <code>{receipt.sha256}</code> <Copy text={receipt.sha256} />
      </p>
      {receipt.signature === null ? (
        <p class="warn">{r.notSigned}</p>
      ) : (
        <p class="line">
          {r.signature} <code>{receipt.signature}</code> <Copy text={receipt.signature} />
        </p>
      )}
      <Quoted text={receipt.receipt} />
    </details>
  );
}

function RequestView(props: {
  readonly request: GdprRequest;
  readonly onDecide: (decision: Decision) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const { request, onDecide } = props;
  const { right, kind, state, phase, removed, error, receipt, decision, overdue, extension, details } = request;
  const reason = decision?.reason ?? null;
  const removedRows = Object.entries(removed).filter(([, count]) => count > 0);
  return (
    <article class="panel">
      <div class="line">
        <h3>
          {r.rights[right]}: {r.kinds[kind]}
        </h3>
        <span class={`badge ${state}`}>{t.states[state]}</span>
        {state === 'running' && phase !== null ? <span class="muted">{r.erasurePhases[phase]}</span> : null}
        {state === 'waiting' && may('admin') ? (
          <>
            <button type="button" onClick={() => onDecide('approve')}>
              {r.approveRequest}
            </button>
            <button type="button" onClick={() => onDecide('decline')}>
              {r.decline}
            </button>
          </>
        ) : null}
      </div>
      <p class="muted">
        <RelativeTime at={request.requested_at} wrap={r.requested} />
        {request.finished_at === null ? (
          <span class={overdue ? 'bad' : undefined}>
            {' · '}
            <RelativeTime at={request.due_at} wrap={overdue ? r.overdue : r.due} />
          </span>
        ) : null}
        {request.user === null ? null : (
          <>
            {' · '}
            <code>{request.user}</code>
          </>
        )}
      </p>
      {details === null || Object.keys(details).length === 0 ? null : (
        <Quoted text={JSON.stringify(details, null, 2)} />
      )}
      {extension === null ? null : <p class="muted">{r.extended(extension.days, extension.reason)}</p>}
      {reason === null ? null : (
        <p>
          {r.decided} <Text text={reason} />
        </p>
      )}
      {error === null ? null : (
        <p class="bad">
          <code>{error}</code>
        </p>
      )}
      {removedRows.length === 0 ? null : (
        <p>{r.removedRows(removedRows.map(([name, count]) => `${name} ${fullCount(count)}`).join(', '))}</p>
      )}
      {receipt === null ? null : <Receipt receipt={receipt} />}
    </article>
  );
}

function Decide(props: {
  readonly request: GdprRequest;
  readonly decision: Decision;
  readonly onClose: () => void;
}): JSX.Element {
  const r = inLanguage(requestTexts);
  const { request, decision, onClose } = props;
  const [reason, setReason] = useState('');
  const decide = async (): Promise<void> => {
    const body = decision === 'decline' ? { decision, reason } : reason === '' ? { decision } : { decision, reason };
    await ask('POST /gdpr/requests/{id}/decide', { path: { id: request.id }, body });
    invalidate('/gdpr/requests', '/jobs');
  };
  return (
    <Confirm
      title={decision === 'approve' ? r.approveRequest : r.decline}
      action={decision === 'approve' ? r.approveRequest : r.decline}
      isDangerous
      onConfirm={decide}
      onClose={onClose}
    >
      <Field label={r.reason} hint={r.decisionHint} maxLength={500} value={reason} onValue={setReason} />
    </Confirm>
  );
}

/** Requests of people about their data, with the receipts of erasures. */
export function Requests(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(requestTexts);
  const [{ open }, change] = useQuery(FILTERS);
  const query = { limit: 20, ...(open === undefined ? {} : { open: open === 'true' }) };
  const list = useList('GET /gdpr/requests', { query }, ({ id }) => id, endsJob);
  const [decided, setDecided] = useState<{ readonly request: GdprRequest; readonly decision: Decision } | null>(null);
  usePoll(
    list.items.some(({ state }) => state === 'running'),
    list.reload,
  );
  return (
    <div class="page">
      <h2>{t.tabs.requests}</h2>
      <search class="filters">
        <Select
          label={t.state}
          value={open}
          options={[
            { value: 'true', text: r.openRequests },
            { value: 'false', text: r.closedRequests },
          ]}
          onValue={(value) => change({ open: value })}
        />
      </search>
      <LoadedView of={list}>
        {() =>
          list.items.length === 0 ? (
            <Empty title={r.noRequests} command="recollect erase session ID" />
          ) : (
            <>
              {list.items.map((request) => (
                <RequestView
                  key={request.id}
                  request={request}
                  onDecide={(decision) => setDecided({ request, decision })}
                />
              ))}
              <More of={list} />
            </>
          )
        }
      </LoadedView>
      {decided === null ? null : <Decide {...decided} onClose={() => setDecided(null)} />}
    </div>
  );
}
