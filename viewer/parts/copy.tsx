import type { JSX } from 'preact';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { showToast } from './toast.tsx';

/** Copies a text, also by plain HTTP, where browsers have no `navigator.clipboard`. Returns false if the browser refuses. */
async function copyText(text: string): Promise<boolean> {
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard !== undefined)
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Without the permission, the older way may work.
    }
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'off-screen';
  const focused = document.activeElement;
  // An open dialog blocks the rest of the page.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** A button that copies a text. */
export function Copy({ text }: { readonly text: string }): JSX.Element {
  const t = inLanguage(common);
  const copy = (): void => {
    void copyText(text).then((isCopied) => {
      if (isCopied) showToast({ text: t.copied });
    });
  };
  return (
    <button type="button" class="quiet" onClick={copy} aria-label={`${t.copy}: ${text.slice(0, 60)}`}>
      {t.copy}
    </button>
  );
}
