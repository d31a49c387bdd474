import type { JSX } from 'preact';
import { useId, useMemo, useState } from 'preact/hooks';
import { navigate } from '../router/router.ts';
import { changeSettings, settings } from '../settings.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Dialog } from '../parts/dialog.tsx';
import { findCommands } from './find-commands.ts';
import { keyGroups } from './keys.ts';
import { offeredPages } from './navigation.tsx';
import { signOutOfServer } from './sign-out.ts';

/** An entry of the command palette. */
interface Command {
  readonly text: string;
  /** Shown beside it, such as its key. */
  readonly hint?: string | undefined;
  /** Words that find it, too. */
  readonly words?: string | undefined;
  readonly run: () => void;
}

const THEMES = ['system', 'light', 'dark'] as const;

/** Returns every command: pages, actions with keys, settings. */
function useAllCommands(): readonly Command[] {
  const t = inLanguage(common);
  const { language, singleKeys } = settings.value;
  const groups = keyGroups.value;
  return useMemo(
    () => [
      ...offeredPages().map((page) => ({
        text: t.goTo(page.name[language]),
        hint: `g ${page.letter ?? ''}`,
        words: page.words,
        run: () => navigate(page.path),
      })),
      ...groups
        .filter(({ isGlobal }) => !isGlobal)
        .flatMap(({ actions }) => Object.entries(actions).map(([hint, action]) => ({ ...action, hint }))),
      ...THEMES.map((theme) => ({ text: t.theme[theme], run: () => changeSettings({ theme }) })),
      { text: t.otherLanguage, run: () => changeSettings({ language: language === 'en' ? 'zh' : 'en' }) },
      {
        text: singleKeys ? t.singleKeysOff : t.singleKeysOn,
        run: () => changeSettings({ singleKeys: !singleKeys }),
      },
      { text: t.signOut, run: () => void signOutOfServer() },
    ],
    [t, language, singleKeys, groups],
  );
}

/** Everything by keyboard: type, choose with the arrows, run with Enter. */
export function Palette({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(common);
  const id = useId();
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState(0);
  const commands = useAllCommands();
  const found = findCommands(commands, typed);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) setSelected((selected + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') run(found[selected]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t.palette} onClose={onClose} class="palette">
      <input
        type="text"
        role="combobox"
        aria-label={t.paletteHint}
        placeholder={t.paletteHint}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length === 0 ? undefined : `${id}-${selected}`}
        autocomplete="off"
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setSelected(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={t.palette}>
        {found.map((command, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field above has the keys and the focus
          <div
            key={command.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === selected}
            onClick={() => run(command)}
          >
            {command.text}
            {command.hint === undefined ? null : <kbd>{command.hint}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 ? <p role="status">{t.nothingMatches}</p> : null}
    </Dialog>
  );
}
