import { useEffect, useRef } from 'preact/hooks';

const POLL_MS = 2_000;

/** Loads again every two seconds, or `everyMs`, while something runs that the event stream does not report, such as a backup; not in a hidden tab. */
export function usePoll(isActive: boolean, reload: () => void, everyMs = POLL_MS): void {
  const current = useRef(reload);
  current.current = reload;
  useEffect(() => {
    if (!isActive) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) current.current();
    }, everyMs);
    return () => clearInterval(timer);
  }, [isActive, everyMs]);
}
