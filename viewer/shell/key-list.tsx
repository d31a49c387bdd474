import type { JSX } from 'preact';
import { Checkbox } from '../parts/fields.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { changeSettings, settings } from '../settings.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { keyGroups } from './keys.ts';

/** The list of keys, with the switch for single ones. */
export function KeyList({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(common);
  const { singleKeys } = settings.value;
  const parts = [
    { title: t.keysHere, isGlobal: false },
    { title: t.keysEverywhere, isGlobal: true },
  ];
  return (
    <Dialog title={t.keysTitle} onClose={onClose}>
      {parts.map(({ title, isGlobal }) => {
        const keys = keyGroups.value
          .filter((group) => group.isGlobal === isGlobal)
          .flatMap(({ actions }) => Object.entries(actions));
        return keys.length === 0 ? null : (
          <section key={title}>
            <h3>{title}</h3>
            <dl class="keys">
              {keys.map(([binding, { text }]) => (
                <div key={binding}>
                  <dt>
                    <kbd>{binding.replace('Control+', 'Ctrl ')}</kbd>
                  </dt>
                  <dd>{text}</dd>
                </div>
              ))}
            </dl>
          </section>
        );
      })}
      <Checkbox label={t.singleKeysOn} checked={singleKeys} onValue={(on) => changeSettings({ singleKeys: on })} />
      {singleKeys ? null : <p>{t.keysOff}</p>}
    </Dialog>
  );
}
