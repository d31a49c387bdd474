import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RetentionPolicies, RetentionPolicy } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { CallOf } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { trusted } from '../../link/trusted.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { inLanguage } from '../../texts/language.ts';
import { PolicyForm } from './policy-form.tsx';
import { RetentionRuns } from './retention-runs.tsx';
import { texts } from './texts.ts';
import { retentionTexts } from './retention-texts.ts';
import { subjectOf, withPolicy } from './views.ts';
import type { PolicyDraft } from './views.ts';

type PoliciesBody = CallOf<'PUT /admin/retention/policies'>['body'];

/** Replaces the policies that were shown; others that changed meanwhile are a CONFLICT. @throws AskError */
async function replacePolicies(policies: readonly PolicyDraft[], hash: string): Promise<void> {
  // Kind, action and subject of a draft are those that the form offers together.
  const body = trusted<PoliciesBody>({
    policies: policies.map(({ resource, project, data_class: dataClass, age_days: ageDays, action }) => ({
      resource,
      project,
      data_class: dataClass,
      age_days: ageDays,
      action,
    })),
    hash,
  });
  await ask('PUT /admin/retention/policies', { body });
  invalidate('/admin/retention');
}

function PolicyTable(props: {
  readonly caption: string;
  readonly policies: readonly RetentionPolicy[];
  readonly projectName: (id: string) => string;
  readonly actions?: (policy: RetentionPolicy) => JSX.Element;
}): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(retentionTexts);
  const { caption, policies, projectName, actions } = props;
  return (
    <Table
      caption={caption}
      rows={policies}
      keyOf={subjectOf}
      columns={[
        { head: r.resource, cell: ({ resource }) => r.resources[resource] },
        { head: r.project, cell: ({ project }) => (project === null ? r.allOf : projectName(project)) },
        { head: r.dataClass, cell: ({ data_class: dataClass }) => dataClass ?? r.allOf },
        { head: r.action, cell: ({ action }) => r.actions[action] },
        { head: r.age, cell: ({ age_days: days }) => r.days(days), isNumber: true },
        ...(actions === undefined ? [] : [{ head: t.change, cell: actions }]),
      ]}
    />
  );
}

function Policies({ state }: { readonly state: RetentionPolicies }): JSX.Element {
  const r = inLanguage(retentionTexts);
  const [edited, setEdited] = useState<PolicyDraft | 'new' | null>(null);
  const [removed, setRemoved] = useState<RetentionPolicy | null>(null);
  const projects = useResource('GET /projects', { query: { limit: 100 } });
  const known = projects.data?.data ?? [];
  const projectName = (id: string): string => known.find((project) => project.id === id)?.display_name ?? id;
  const act = useAct();
  const start = (isDryRun: boolean) => async (): Promise<void> => {
    await ask('POST /admin/retention', { body: { dry_run: isDryRun } });
    invalidate('/admin/retention', '/jobs');
  };
  return (
    <>
      <div class="line">
        <button type="button" onClick={() => setEdited('new')}>
          {r.addPolicy}
        </button>
        <button
          type="button"
          class={state.approved ? undefined : 'primary'}
          disabled={act.isRunning}
          onClick={() => act.run(start(true), r.dryRunStarted)}
        >
          {r.dryRun}
        </button>
        {state.approved ? (
          <button type="button" disabled={act.isRunning} onClick={() => act.run(start(false), r.runStarted)}>
            {r.runNow}
          </button>
        ) : null}
        <span class={state.approved ? 'good' : 'warn'} role="status">
          {state.approved ? r.approvedState : r.unapprovedState}
        </span>
      </div>
      {act.note}
      {state.data.length === 0 ? (
        <p class="muted">{r.noPolicies}</p>
      ) : (
        <PolicyTable
          caption={r.policies}
          policies={state.data}
          projectName={projectName}
          actions={(policy) => (
            <span class="line">
              <button type="button" class="quiet" onClick={() => setEdited(policy)}>
                {r.edit}
              </button>
              <button type="button" class="quiet" onClick={() => setRemoved(policy)}>
                {r.remove}
              </button>
            </span>
          )}
        />
      )}
      <PolicyTable caption={r.defaults} policies={state.defaults} projectName={projectName} />
      {edited === null ? null : (
        <PolicyForm
          policy={edited === 'new' ? null : edited}
          projects={known}
          onSave={(policy) => {
            const others = edited === 'new' ? state.data : state.data.filter((each) => each !== edited);
            return replacePolicies(withPolicy(others, policy), state.hash);
          }}
          onClose={() => setEdited(null)}
        />
      )}
      {removed === null ? null : (
        <Confirm
          title={r.removeTitle}
          action={r.remove}
          isDangerous
          onConfirm={() =>
            replacePolicies(
              state.data.filter((each) => each !== removed),
              state.hash,
            )
          }
          onClose={() => setRemoved(null)}
        >
          <p>{r.removeHint}</p>
        </Confirm>
      )}
    </>
  );
}

/** Policies, and the runs that apply them: nothing is deleted before a dry run of the same policies was approved. */
export function Retention(): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(retentionTexts);
  const policies = useResource('GET /admin/retention/policies', {});
  return (
    <div class="page">
      <h2>{t.tabs.retention}</h2>
      <p class="muted">{r.retentionHint}</p>
      <LoadedView of={policies}>{(state) => <Policies state={state} />}</LoadedView>
      <RetentionRuns hash={policies.data?.hash} />
    </div>
  );
}
