import { note } from '../../hook/diagnostics.ts';
import { drainSpool } from '../../hook/spool/drain.ts';
import { spoolFiles } from '../../hook/spool/folder.ts';
import { localTarget } from '../../hook/target.ts';

const LOOK_EVERY_MS = 15_000;

export interface SpoolWatch {
  /** Resolves when no delivery is in progress. Remaining events wait for the next start. */
  stop(): Promise<void>;
}

export interface SpoolWatchOptions {
  readonly dataDir: string;
  readonly everyMs?: number;
}

/**
 * Drains the spool of a data directory to its instance: at once, then every 15 s while events are pending. Sends only events for this
 * instance. Logs to `logs/hook.log`.
 */
export function watchSpool({ dataDir, everyMs = LOOK_EVERY_MS }: SpoolWatchOptions): SpoolWatch {
  const stopping = new AbortController();
  let pass: Promise<void> | null = null;
  let lastReason = '';
  const drain = async (): Promise<void> => {
    const target = localTarget(dataDir);
    if (target === null || !spoolFiles(dataDir).some((file) => file.server === target.server)) return;
    const { delivered, forgotten, quarantined, end } = await drainSpool({ dataDir, target, signal: stopping.signal });
    if (delivered > 0) note(dataDir, { event: '-', what: 'drained', count: delivered });
    if (forgotten > 0) note(dataDir, { event: '-', what: 'forgotten', count: forgotten });
    if (quarantined > 0) note(dataDir, { event: '-', what: 'quarantined', count: quarantined });
    const reason = end.kind === 'stopped' && !stopping.signal.aborted ? end.reason : '';
    // Logged once, not every 15 s.
    if (reason !== '' && reason !== lastReason) note(dataDir, { event: '-', what: 'drain-stopped', detail: reason });
    lastReason = reason;
  };
  const look = (): void => {
    pass ??= drain().finally(() => {
      pass = null;
    });
  };
  const timer = setInterval(look, everyMs).unref();
  look();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await pass;
    },
  };
}
