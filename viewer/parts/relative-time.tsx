import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { locale } from './locale.ts';
import { exactTime, relativeTime } from './times.ts';

const TICK_MS = 10_000;
/** Time of the last tick: reading it renders a component again at the next one. */
const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, TICK_MS);

// While the first answer is awaited: to make the formats takes longer than to draw the rows.
setTimeout(() => exactTime(new Date(now.peek()), locale()));

/** A time in words, with the exact one as its title. `wrap`: a text around it. */
export function RelativeTime(props: {
  /** RFC 3339, or ms. */
  readonly at: string | number;
  readonly wrap?: (age: string) => string;
  /** Shows the date and the minute, too. */
  readonly isExact?: boolean;
}): JSX.Element {
  const date = new Date(props.at);
  const words = relativeTime(date.getTime(), Math.max(now.value, Date.now()), locale());
  return (
    <time dateTime={date.toISOString()} title={exactTime(date, locale())}>
      {props.wrap === undefined ? words : props.wrap(words)}
      {props.isExact === true
        ? `, ${date.toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' })}`
        : null}
    </time>
  );
}
