import { signal } from '@preact/signals';
import type { StreamEvent } from '../contract/index.ts';
import { addressOf, watchAsks } from './ask.ts';
import { EventReader } from './event-reader.ts';
import type { LinkState } from './event-reader.ts';
import { isStillSignedIn } from './me.ts';

/** State of the tab's stream. */
export const linkState = signal<LinkState>('paused');
/** False after a request without an answer, until one succeeds. */
export const isReached = signal(true);

type Listener = (event: StreamEvent) => void;
const listeners = new Set<Listener>();

/** Calls a listener with each event of the tab's stream, also with `ready` and `reset`. Returns a function that removes it. */
export function onStreamEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

let reader: EventReader | null = null;

function follow(): void {
  if (document.hidden) reader?.stop();
  else reader?.start();
}

/** Opens the one stream of the tab; all pages share it. A hidden tab closes it: a browser has six connections to a server over HTTP/1.1. */
export function openStream(): void {
  if (reader !== null) return;
  reader = new EventReader({
    url: addressOf('GET /stream/events'),
    onEvent: (event) => {
      for (const listener of listeners) listener(event);
    },
    onState: (state) => {
      linkState.value = state;
      if (state === 'open') isReached.value = true;
      if (state === 'refused') void isStillSignedIn().then((isSignedIn) => isSignedIn && follow());
    },
  });
  document.addEventListener('visibilitychange', follow);
  follow();
}

/** Ends the stream, for the time without a user. */
export function closeStream(): void {
  document.removeEventListener('visibilitychange', follow);
  const open = reader;
  reader = null;
  open?.stop();
}

watchAsks({
  refused: isStillSignedIn,
  reached: (is) => {
    isReached.value = is;
  },
});
