import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import type { AskError } from '../link/ask.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { Fields, useAct } from './act.tsx';
import { fullCount } from './amounts.ts';
import { Pairs } from './pairs.tsx';

/** A modal dialog: the focus goes to its first field and does not leave it, Escape closes it, and the focus returns to where it was. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly class?: string;
}): JSX.Element {
  const { title, onClose, children } = props;
  const t = inLanguage(common);
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before the next key: until the dialog is open, letters are keys of the page.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(':is(textarea, input, select)')?.focus();
    return () => {
      dialog.current?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.class}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header class="line">
        <h2 id={titleId}>{title}</h2>
        <button type="button" class="quiet" aria-label={t.close} onClick={onClose}>
          ×
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** A confirmation that shows how much an action changes: a form, so that Enter confirms and required fields are checked. An error stays in it. */
export function Confirm(props: {
  readonly title: string;
  /** What changes, with its number, such as "prompts" 12. */
  readonly counts?: readonly (readonly [string, number])[];
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  /** A function gets the error of the last attempt, for the faults of fields. */
  readonly children?: ComponentChildren | ((error: AskError | null) => ComponentChildren);
}): JSX.Element {
  const t = inLanguage(common);
  const id = useId();
  const act = useAct();
  const { children } = props;
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        id={id}
        onSubmit={(event) => {
          event.preventDefault();
          act.run(() => props.onConfirm().then(props.onClose));
        }}
      >
        <Fields act={act}>{typeof children === 'function' ? children(act.error) : children}</Fields>
        {props.counts === undefined ? null : (
          <Pairs of={props.counts.map(([name, count]) => [name, fullCount(count)])} />
        )}
      </form>
      {act.note}
      <footer class="line">
        <button type="button" onClick={props.onClose}>
          {t.cancel}
        </button>
        <button
          type="submit"
          form={id}
          class={props.isDangerous === true ? 'danger' : 'primary'}
          disabled={act.isRunning}
        >
          {props.action}
        </button>
      </footer>
    </Dialog>
  );
}
