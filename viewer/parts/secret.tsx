import type { JSX } from 'preact';
import { Copy } from './copy.tsx';
import { Dialog } from './dialog.tsx';

/** A secret that the server shows once, such as a new key, with a button that copies it. */
export function Secret(props: {
  readonly title: string;
  readonly hint: string;
  readonly text: string;
  readonly onClose: () => void;
}): JSX.Element {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p class="warn">{props.hint}</p>
      <p>
        <code>{props.text}</code> <Copy text={props.text} />
      </p>
    </Dialog>
  );
}
