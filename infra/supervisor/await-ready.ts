import { setTimeout as delay } from 'node:timers/promises';
import type { InstanceLayout } from '../instance/layout.ts';
import { copiedProgram } from '../instance/upgrade-copy.ts';
import { readVersionStamp } from '../instance/version-stamp.ts';
import { isAlive } from './process-identity.ts';
import { readState } from './state.ts';
import { findSupervisor } from './stop-instance.ts';

const POLL_MS = 100;
/** For a start that another process requested: its program loads before it takes the lock. */
const ABSENT_MS = 30_000;

interface ReadyOptions {
  /** The expected program. */
  readonly version: string;
  /** ISO time; earlier starts do not count. */
  readonly since: string;
  readonly signal?: AbortSignal;
  /** Default: 30 s. */
  readonly absentMs?: number;
}

/**
 * Waits for the start of an instance by any process. Returns null once it is ready with the expected version and has deleted the copy of an
 * upgrade; else the reason: the start failed, another version runs, no process starts it in `absentMs`, or the signal aborted.
 */
export async function awaitReady(layout: InstanceLayout, options: ReadyOptions): Promise<string | null> {
  const { version, since, signal, absentMs = ABSENT_MS } = options;
  let seenAt = performance.now();
  while (signal?.aborted !== true) {
    const state = readState(layout.stateFile);
    if (state !== null && state.startedAt >= since) {
      const program = readVersionStamp(layout.versionFile)?.program;
      if (state.phase === 'failed' || !isAlive(state.supervisor)) return state.error ?? 'the start ended early';
      if (state.phase === 'running') {
        if (program?.version !== version) return `version ${program?.version ?? 'unknown'} runs instead`;
        if (copiedProgram(layout) === null) return null;
      }
    }
    if (findSupervisor(layout) !== null) seenAt = performance.now();
    if (performance.now() - seenAt > absentMs) return 'no process started it';
    await delay(POLL_MS);
  }
  return 'interrupted';
}
