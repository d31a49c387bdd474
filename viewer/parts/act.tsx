import type { ComponentChildren, JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { asAskError } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { ErrorNote } from './states.tsx';
import { StepUp } from './step-up.tsx';
import { showToast } from './toast.tsx';

type Step = () => Promise<unknown>;

export interface Act {
  /** Runs a step unless one runs; shows a message once it succeeded. */
  readonly run: (step: Step, done?: string) => void;
  readonly isRunning: boolean;
  /** Error of the last step, or the proof of the identity that it needs; null after a success. */
  readonly note: JSX.Element | null;
  readonly error: AskError | null;
  /** The step continues after a proof of the identity, with what was entered before. */
  readonly isProving: boolean;
}

/** Fields of an action: they show what it sends, also after a proof of the identity. */
export function Fields(props: { readonly act: Act; readonly children: ComponentChildren }): JSX.Element {
  return (
    <fieldset class="fields" disabled={props.act.isProving}>
      {props.children}
    </fieldset>
  );
}

/** Returns what runs actions, one at a time, with the error of the last one. */
export function useAct(): Act {
  const [error, setError] = useState<AskError | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  // A second key comes before the page is rendered again.
  const running = useRef(false);
  const last = useRef<() => void>(() => undefined);
  const run = (step: Step, done?: string): void => {
    if (running.current) return;
    running.current = true;
    last.current = () => run(step, done);
    setIsRunning(true);
    setError(null);
    step()
      .then(() => {
        if (done !== undefined) showToast({ text: done });
      })
      .catch((fault: unknown) => setError(asAskError(fault)))
      .finally(() => {
        running.current = false;
        setIsRunning(false);
      });
  };
  const isProving = error?.code === 'STEP_UP_REQUIRED';
  const note =
    error === null ? null : isProving ? <StepUp onProven={() => last.current()} /> : <ErrorNote error={error} />;
  return { run, isRunning, note, error, isProving };
}
