import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Learning } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Choice, Field, TextArea } from '../../parts/fields.tsx';
import { addressOfLearning } from '../../parts/places.ts';
import { showToast } from '../../parts/toast.tsx';
import { navigate } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** Requests the reason of a change. */
export function ReasonDialog(props: {
  readonly title: string;
  readonly why: string;
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly onReason: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const [reason, setReason] = useState('');
  const { title, why, action, isDangerous = false, onReason, onClose } = props;
  return (
    <Confirm
      title={title}
      action={action}
      isDangerous={isDangerous}
      onConfirm={() => onReason(reason.trim())}
      onClose={onClose}
    >
      <p>{why}</p>
      <TextArea label={t.reason} required maxLength={500} rows={2} value={reason} onValue={setReason} />
    </Confirm>
  );
}

/** Reopens a closed learning and shows its new version. */
export function ReopenDialog(props: { readonly learning: Learning; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const reopen = async (reason: string): Promise<void> => {
    const { id } = await ask('POST /learnings/{id}/reopen', { path: { id: props.learning.id }, body: { reason } });
    invalidate('/learnings');
    showToast({ text: t.reopened });
    navigate(addressOfLearning(id), { replace: true });
  };
  return (
    <ReasonDialog title={t.reopenTitle} why={t.reopenWhy} action={t.reopen} onReason={reopen} onClose={props.onClose} />
  );
}

/** Replaces a learning by another one that is known, or by a new one. */
export function SupersedeDialog(props: { readonly learning: Learning; readonly onClose: () => void }): JSX.Element {
  const { learning, onClose } = props;
  const t = inLanguage(texts);
  const [by, setBy] = useState<'new' | 'known'>('new');
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [reason, setReason] = useState('');
  const supersede = async (): Promise<void> => {
    const { category, namespace, project, tags } = learning;
    const next = {
      title,
      description,
      category,
      namespace,
      tags,
      ...(project === null ? {} : { project: project.id }),
    };
    const { id } = await ask('POST /learnings/{id}/supersede', {
      path: { id: learning.id },
      body: { by: by === 'new' ? next : name.trim(), reason: reason.trim() },
    });
    invalidate('/learnings');
    showToast({ text: t.superseded });
    navigate(addressOfLearning(id));
  };
  return (
    <Confirm title={t.supersedeTitle} action={t.supersede} onConfirm={supersede} onClose={onClose}>
      <div class="stack">
        <Choice
          label={t.by}
          value={by}
          options={[
            { value: 'new', text: t.byNew },
            { value: 'known', text: t.byKnown },
          ]}
          onValue={setBy}
        />
        {by === 'new' ? (
          <>
            <Field label={t.fieldTitle} required maxLength={200} value={title} onValue={setTitle} />
            <TextArea label={t.fieldDescription} required value={description} onValue={setDescription} />
          </>
        ) : (
          <Field label={t.knownName} required maxLength={36} value={name} onValue={setName} />
        )}
        <Field label={t.reason} required maxLength={500} value={reason} onValue={setReason} />
      </div>
    </Confirm>
  );
}
