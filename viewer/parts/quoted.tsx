import type { JSX } from 'preact';
import { partsOf } from './escaped.ts';
import type { TextRange } from './escaped.ts';

/** Captured text, in a line: text only, with invisible and reordering characters as their codes. */
export function Text(props: { readonly text: string; readonly ranges?: readonly TextRange[] }): JSX.Element {
  return (
    <bdi>
      {partsOf(props.text, props.ranges).map(({ text, kind }, index) =>
        kind === 'plain' ? (
          text
        ) : kind === 'marked' ? (
          <mark key={index}>{text}</mark>
        ) : (
          <span key={index} class="code-point">
            {text}
          </span>
        ),
      )}
    </bdi>
  );
}

/** Captured text as a block, with its lines. */
export function Quoted(props: { readonly text: string; readonly ranges?: readonly TextRange[] }): JSX.Element {
  return (
    <blockquote class="quoted" dir="auto">
      <Text {...props} />
    </blockquote>
  );
}
