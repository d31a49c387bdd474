import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** An entry of the command palette. */
export interface Command {
  readonly text: string;
  /** Shown beside it, such as its key. */
  readonly hint?: string | undefined;
  readonly run: () => void;
}

/** Commands of the page that is shown. */
export const pageCommands = signal<readonly Command[]>([]);

/** Offers commands in the palette while a component is shown. Pass a list that changes rarely (`useMemo`). */
export function useCommands(commands: readonly Command[]): void {
  useEffect(() => {
    pageCommands.value = [...pageCommands.peek(), ...commands];
    return () => {
      pageCommands.value = pageCommands.peek().filter((command) => !commands.includes(command));
    };
  }, [commands]);
}
