import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ExclusionSetting, SharingSetting } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { Fields, useAct } from '../../parts/act.tsx';
import { Select, TextArea } from '../../parts/fields.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

function Changed({ at }: { readonly at: string | null }): JSX.Element {
  const t = inLanguage(texts);
  return <p class="muted">{at === null ? t.neverChanged : <RelativeTime at={at} wrap={t.changed} />}</p>;
}

/** Folders whose events are not stored, one glob a line. What was typed stays when the setting is read again. */
function Exclusions({ setting }: { readonly setting: ExclusionSetting }): JSX.Element {
  const t = inLanguage(texts);
  const [typed, setTyped] = useState<string | null>(null);
  const act = useAct();
  const value = (typed ?? setting.value.join('\n'))
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const save = async (): Promise<void> => {
    await ask('PUT /admin/settings/{key}', { path: { key: setting.key }, body: { value } });
    setTyped(null);
    invalidate('/admin/settings');
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        act.run(save, t.saved);
      }}
    >
      <h2>{t.exclusions}</h2>
      <Fields act={act}>
        <TextArea
          label={t.globs}
          hint={t.globsHint}
          rows={6}
          value={typed ?? setting.value.join('\n')}
          onValue={setTyped}
        />
      </Fields>
      <Changed at={setting.updated_at} />
      {act.note}
      <button type="submit" class="primary" disabled={act.isRunning || typed === null}>
        {t.save}
      </button>
    </form>
  );
}

function Sharing({ setting }: { readonly setting: SharingSetting }): JSX.Element {
  const t = inLanguage(texts);
  const act = useAct();
  const change = (value: SharingSetting['value']): void =>
    act.run(async () => {
      await ask('PUT /admin/settings/learnings.visibility', { body: { value } });
      invalidate('/admin/settings');
    }, t.saved);
  return (
    <section class="panel">
      <h2>{t.sharing}</h2>
      <Select
        label={t.visibility}
        hint={t.visibilityHint}
        any={t.visibilities.shared}
        value={setting.value === 'shared' ? undefined : setting.value}
        options={[{ value: 'private', text: t.visibilities.private }]}
        onValue={(value) => change(value ?? 'shared')}
      />
      <Changed at={setting.updated_at} />
      {act.note}
    </section>
  );
}

/** Settings of the tenant as they apply; settings of the instance are in its environment. */
export function TenantSettings(): JSX.Element {
  const t = inLanguage(texts);
  const list = useResource('GET /admin/settings', {});
  return (
    <div class="page">
      <LoadedView of={list}>
        {({ data }) =>
          data.map((setting) =>
            setting.key === 'capture.exclude' ? (
              <Exclusions key={setting.key} setting={setting} />
            ) : (
              <Sharing key={setting.key} setting={setting} />
            ),
          )
        }
      </LoadedView>
      <p class="muted">{t.instanceSettings}</p>
    </div>
  );
}
