import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';

export interface Toast {
  readonly text: string;
  /** Takes the action back. */
  readonly undo?: () => void;
}

const SHOWN_MS = 8_000;
const MOST = 3;
let lastId = 0;
const toasts = signal<readonly (Toast & { readonly id: number })[]>([]);

/** Shows a short message, with an undo for what users may regret. */
export function showToast(toast: Toast): void {
  lastId += 1;
  toasts.value = [...toasts.value, { ...toast, id: lastId }].slice(-MOST);
}

function remove(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** A message; its time stops while the pointer or the focus is on it. */
function ToastItem({ id, text, undo }: Toast & { readonly id: number }): JSX.Element {
  const t = inLanguage(common);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const stop = (): void => clearTimeout(timer.current);
  const start = (): void => {
    stop();
    timer.current = setTimeout(() => remove(id), SHOWN_MS);
  };
  useEffect(() => {
    start();
    return stop;
  }, []);
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the pointer only stops the time
    <div class="toast" onMouseEnter={stop} onMouseLeave={start} onFocusCapture={stop} onBlurCapture={start}>
      <span>{text}</span>
      {undo === undefined ? null : (
        <button
          type="button"
          onClick={() => {
            remove(id);
            undo();
          }}
        >
          {t.undo}
        </button>
      )}
      <button type="button" class="quiet" aria-label={t.close} onClick={() => remove(id)}>
        ×
      </button>
    </div>
  );
}

/** The messages of the tab. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <ToastItem key={toast.id} {...toast} />
      ))}
    </div>
  );
}
