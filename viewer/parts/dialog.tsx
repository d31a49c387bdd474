import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AskError } from '../link/ask.ts';
import { asAskError } from '../link/ask.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { ErrorNote } from './states.tsx';
import { StepUp } from './step-up.tsx';

/** A modal dialog: the focus does not leave it, Escape closes it, and the focus returns to where it was. */
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

/** A confirmation that shows how much an action changes. An error stays in the dialog. */
export function Confirm(props: {
  readonly title: string;
  /** What changes, with its number, such as "prompts" 12. */
  readonly counts?: readonly (readonly [string, number])[];
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const t = inLanguage(common);
  const [isRunning, setIsRunning] = useState(false);
  const [error, setError] = useState<AskError | null>(null);
  const confirm = async (): Promise<void> => {
    setIsRunning(true);
    setError(null);
    try {
      await props.onConfirm();
      props.onClose();
    } catch (fault) {
      setError(asAskError(fault));
    } finally {
      setIsRunning(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      {props.counts === undefined ? null : (
        <dl class="counts">
          {props.counts.map(([name, count]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{count.toLocaleString()}</dd>
            </div>
          ))}
        </dl>
      )}
      {error === null ? null : error.code === 'STEP_UP_REQUIRED' ? (
        <StepUp onProven={() => void confirm()} />
      ) : (
        <ErrorNote error={error} />
      )}
      <footer class="line">
        <button type="button" onClick={props.onClose}>
          {t.cancel}
        </button>
        <button
          type="button"
          class={props.isDangerous === true ? 'danger' : 'primary'}
          disabled={isRunning}
          onClick={() => void confirm()}
        >
          {props.action}
        </button>
      </footer>
    </Dialog>
  );
}
