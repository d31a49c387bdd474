import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { settings } from '../settings.ts';
import { KeySequence } from './key-bindings.ts';
import type { Binding } from './key-bindings.ts';

/** What a key does, for the list of keys and the palette. */
export interface KeyAction {
  readonly text: string;
  readonly run: () => void;
}
export type KeyActions = Readonly<Record<Binding, KeyAction>>;

interface Group {
  readonly isGlobal: boolean;
  readonly actions: KeyActions;
}

/** Bindings of the shell and of the page; those registered later come first. */
export const keyGroups = signal<readonly Group[]>([]);

/** Registers keys while a component is shown. `isGlobal`: they work on all pages. Pass actions that change rarely (`useMemo`). */
export function useKeys(actions: KeyActions, isGlobal = false): void {
  // Before the next key: what is shown already has its keys.
  useLayoutEffect(() => {
    const group = { isGlobal, actions };
    keyGroups.value = [group, ...keyGroups.peek()];
    return () => {
      keyGroups.value = keyGroups.peek().filter((other) => other !== group);
    };
  }, [actions, isGlobal]);
}

const FIELDS = /^(?:INPUT|TEXTAREA|SELECT)$/;

/** Whether a press belongs to a field: single keys are text there. */
function isInField({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement) || (!FIELDS.test(target.tagName) && !target.isContentEditable)) return false;
  return !(target instanceof HTMLInputElement && /^(?:checkbox|radio|button|submit)$/.test(target.type));
}

const sequence = new KeySequence();

/** Runs the action of a press. Dialogs have their own keys. */
export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]') !== null) return;
  const inField = isInField(event);
  if (inField && !event.ctrlKey && !event.metaKey) return;
  // Enter and Space of a control are its own.
  const isControl = event.target instanceof Element && event.target.closest('button, a, summary') !== null;
  if (isControl && (event.key === 'Enter' || event.key === ' ')) return;
  const groups = keyGroups.peek();
  const bindings = groups.flatMap(({ actions }) => Object.keys(actions));
  const binding = sequence.press(event, bindings, event.timeStamp, settings.peek().singleKeys);
  const action = binding === null ? undefined : groups.find(({ actions }) => binding in actions)?.actions[binding];
  if (action === undefined) return;
  event.preventDefault();
  action.run();
}
