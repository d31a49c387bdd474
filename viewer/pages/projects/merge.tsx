import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Project } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Select } from '../../parts/fields.tsx';
import { addressOfProject } from '../../parts/places.ts';
import { showToast } from '../../parts/toast.tsx';
import { navigate } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** Merges a project into another, after a confirmation with what moves. */
export function Merge({ project }: { readonly project: Project }): JSX.Element {
  const t = inLanguage(texts);
  const list = useResource('GET /projects', { query: { limit: 100 } });
  const [intoId, setIntoId] = useState<string | undefined>(undefined);
  const [isConfirming, setIsConfirming] = useState(false);
  const others = (list.data?.data ?? []).filter(({ id }) => id !== project.id);
  const into = others.find(({ id }) => id === intoId);
  const merge = async (): Promise<void> => {
    if (into === undefined) return;
    const { moved } = await ask('POST /projects/{id}/merge', { path: { id: project.id }, body: { into: into.id } });
    invalidate('/projects', '/sessions', '/learnings', '/profile');
    showToast({ text: t.merged(moved.sessions, moved.learnings, moved.joined) });
    navigate(addressOfProject(into.id));
  };
  return (
    <section class="panel">
      <h2>{t.merge}</h2>
      <p class="muted">{t.mergeHint}</p>
      <Select
        label={t.into}
        any={t.choose}
        value={intoId}
        options={others.map(({ id, display_name: text }) => ({ value: id, text }))}
        onValue={setIntoId}
      />
      <p>
        <button type="button" disabled={into === undefined} onClick={() => setIsConfirming(true)}>
          {t.merge}
        </button>
      </p>
      {isConfirming && into !== undefined ? (
        <Confirm
          title={t.mergeTitle(project.display_name, into.display_name)}
          counts={[
            [t.mergeCounts.sessions, project.sessions],
            [t.mergeCounts.learnings, project.learnings],
            [t.mergeCounts.aliases, project.aliases.length],
          ]}
          action={t.merge}
          isDangerous
          onConfirm={merge}
          onClose={() => setIsConfirming(false)}
        >
          <p>{t.noUndo}</p>
        </Confirm>
      ) : null}
    </section>
  );
}
