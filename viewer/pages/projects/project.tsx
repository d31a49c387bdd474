import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Project } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { may } from '../../link/me.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import type { PageProps } from '../registry.ts';
import { Merge } from './merge.tsx';
import { ProfileView } from './profile.tsx';
import { texts } from './texts.ts';

function Name({ project }: { readonly project: Project }): JSX.Element {
  const t = inLanguage(texts);
  const [typed, setTyped] = useState<string | null>(null);
  const act = useAct();
  const save = async (): Promise<void> => {
    await ask('PUT /projects/{id}', { path: { id: project.id }, body: { display_name: typed ?? '' } });
    invalidate('/projects');
    setTyped(null);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        act.run(save, t.saved);
      }}
    >
      <Field
        label={t.name}
        maxLength={200}
        required
        value={typed ?? project.display_name}
        fault={act.error?.fault('display_name')}
        onValue={setTyped}
      />
      {act.note}
      <button type="submit" disabled={act.isRunning || typed === null}>
        {t.save}
      </button>
    </form>
  );
}

function Aliases({ project }: { readonly project: Project }): JSX.Element {
  const t = inLanguage(texts);
  const [alias, setAlias] = useState('');
  const [removed, setRemoved] = useState<string | null>(null);
  const act = useAct();
  const change = async (body: { readonly aliases_add?: string[]; readonly aliases_remove?: string[] }) => {
    await ask('PUT /projects/{id}', { path: { id: project.id }, body });
    invalidate('/projects');
  };
  const add = async (): Promise<void> => {
    await change({ aliases_add: [alias.trim()] });
    setAlias('');
  };
  return (
    <section class="panel">
      <h2>{t.aliases}</h2>
      <p class="muted">{t.aliasesHint}</p>
      <ul>
        {project.aliases.map((each) => (
          <li key={each} class="line">
            <code>
              <Text text={each} />
            </code>
            {may('write') ? (
              <button type="button" class="quiet" aria-label={`${t.remove}: ${each}`} onClick={() => setRemoved(each)}>
                {t.remove}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
      {may('write') ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.run(add, t.added);
          }}
        >
          <Field
            label={t.newAlias}
            hint={t.newAliasHint}
            maxLength={2048}
            required
            value={alias}
            fault={act.error?.fault('aliases_add.0')}
            onValue={setAlias}
          />
          {act.note}
          <button type="submit" disabled={act.isRunning}>
            {t.add}
          </button>
        </form>
      ) : null}
      {removed === null ? null : (
        <Confirm
          title={t.removeTitle}
          action={t.remove}
          isDangerous
          onConfirm={() => change({ aliases_remove: [removed] })}
          onClose={() => setRemoved(null)}
        >
          <p>
            <code>
              <Text text={removed} />
            </code>
          </p>
          <p>{t.removeHint}</p>
        </Confirm>
      )}
    </section>
  );
}

/** A project with its name, aliases, merge and profile. */
export default function ProjectPage({ parts }: PageProps): JSX.Element {
  const t = inLanguage(texts);
  const id = parts['id'] ?? '';
  const found = useResource(
    'GET /projects/{id}',
    { path: { id } },
    ({ type }) => type === 'session.created' || type === 'learning.extracted',
  );
  return (
    <div class="page">
      <p>
        <a href="/projects">{t.all}</a>
      </p>
      <LoadedView of={found}>
        {(project) => (
          <>
            <h1>
              <Text text={project.display_name} />
            </h1>
            <p class="muted">
              <a href={`/sessions?project=${encodeURIComponent(project.id)}`}>{t.sessionsOf(project.sessions)}</a>
              {' · '}
              <a href={`/learnings?project=${encodeURIComponent(project.id)}`}>{t.learningsOf(project.learnings)}</a>
              {' · '}
              {project.last_event_at === null ? (
                t.noEvent
              ) : (
                <RelativeTime at={project.last_event_at} wrap={t.lastEvent} />
              )}
            </p>
            <div class="panels">
              <section class="panel">
                <h2>{t.name}</h2>
                {may('write') ? <Name project={project} /> : <Text text={project.display_name} />}
                <p class="muted">
                  {t.remote}: {project.git_remote === null ? t.none : <Text text={project.git_remote} />}
                </p>
              </section>
              <Aliases project={project} />
              {may('write') ? <Merge project={project} /> : null}
            </div>
            <ProfileView project={project.id} />
          </>
        )}
      </LoadedView>
    </div>
  );
}
