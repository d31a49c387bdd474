import type { ComponentChildren, JSX } from 'preact';

/** A message over the page, until its reason ends. */
export function Banner(props: {
  readonly kind: 'bad' | 'warn' | 'good';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`banner ${props.kind}`} role={props.kind === 'bad' ? 'alert' : 'status'}>
      {props.children}
    </div>
  );
}
