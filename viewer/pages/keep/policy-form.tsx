import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Project, RetentionPolicy } from '../../contract/index.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Choice, Field, Select } from '../../parts/fields.tsx';
import { inLanguage } from '../../texts/language.ts';
import { retentionTexts } from './retention-texts.ts';
import { ACTIONS, OF_CLASSES, OF_PROJECTS } from './views.ts';
import type { PolicyDraft } from './views.ts';

const CLASSES = ['public', 'internal', 'sensitive', 'confidential', 'restricted'] as const;
const RESOURCES = Object.keys(ACTIONS).flatMap((name) => resourceOf(name) ?? []);

function resourceOf(name: string): RetentionPolicy['resource'] | undefined {
  switch (name) {
    case 'session':
    case 'observation':
    case 'prompt':
    case 'usage':
    case 'summary':
    case 'learning':
    case 'context':
    case 'import':
    case 'alert':
    case 'tombstone':
    case 'excluded_session':
      return name;
    default:
      return undefined;
  }
}

/** Adds or changes a policy. The kind decides which actions and subjects it may have. */
export function PolicyForm(props: {
  readonly policy: PolicyDraft | null;
  readonly projects: readonly Project[];
  readonly onSave: (policy: PolicyDraft) => Promise<void>;
  readonly onClose: () => void;
}): JSX.Element {
  const r = inLanguage(retentionTexts);
  const { policy, projects } = props;
  const [resource, setResource] = useState<RetentionPolicy['resource']>(policy?.resource ?? 'observation');
  const [action, setAction] = useState<RetentionPolicy['action']>(policy?.action ?? 'keep');
  const [days, setDays] = useState(String(policy?.age_days ?? 365));
  const [project, setProject] = useState<string | null>(policy?.project ?? null);
  const [dataClass, setDataClass] = useState<RetentionPolicy['data_class']>(policy?.data_class ?? null);
  const actions = ACTIONS[resource];
  const save = (): Promise<void> =>
    props.onSave({
      resource,
      action: actions.includes(action) ? action : 'keep',
      age_days: Number(days),
      project: OF_PROJECTS.has(resource) ? project : null,
      data_class: OF_CLASSES.has(resource) ? dataClass : null,
    });
  return (
    <Confirm
      title={policy === null ? r.addPolicy : r.editPolicy}
      action={r.save}
      onConfirm={save}
      onClose={props.onClose}
    >
      <div class="page">
        <p class="muted">{r.policyHint}</p>
        <Choice
          label={r.resource}
          value={resource}
          options={RESOURCES.map((value) => ({ value, text: r.resources[value] }))}
          onValue={setResource}
        />
        <Choice
          label={r.action}
          value={actions.includes(action) ? action : 'keep'}
          options={actions.map((value) => ({ value, text: r.actions[value] }))}
          onValue={setAction}
        />
        <Field label={r.age} hint={r.ageHint} type="number" required value={days} onValue={setDays} />
        {OF_PROJECTS.has(resource) ? (
          <Select
            label={r.project}
            any={r.allOf}
            value={project ?? undefined}
            options={projects.map(({ id, display_name: text }) => ({ value: id, text }))}
            onValue={(value) => setProject(value ?? null)}
          />
        ) : null}
        {OF_CLASSES.has(resource) ? (
          <Select
            label={r.dataClass}
            any={r.allOf}
            value={dataClass ?? undefined}
            options={CLASSES.map((value) => ({ value, text: value }))}
            onValue={(value) => setDataClass(value ?? null)}
          />
        ) : null}
      </div>
    </Confirm>
  );
}
