import { setTimeout as delay } from 'node:timers/promises';
import { firstTakenPort } from '../instance/ports.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { SupervisorError } from './definitions.ts';
import type { Command, ServiceDefinition, SupervisorErrorCode } from './definitions.ts';
import { lastLines, logPath } from './log-file.ts';
import { markEnvironment } from './orphans.ts';
import { signalGroup } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { NodeState, NodeStatus } from './state.ts';

const PROBE_EVERY_MS = 60;
/** Timeout of one poll. */
const PROBE_TIMEOUT_MS = 5000;

/**
 * Waits until a started service is ready. Rejects if it ends, after its timeout (with the last error), and
 * if the signal aborts.
 */
async function awaitReadiness(definition: ServiceDefinition, child: Child, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let lastError = 'no response';
  const { readiness } = definition;
  const ready =
    readiness.kind === 'message'
      ? child.reportedReady
      : probeUntilReady(readiness.check, stop, (reason) => {
          lastError = reason;
        });
  const timeout = delay(definition.readyTimeoutMs, 'timeout' as const, { signal: stop });
  const outcomes = [ready.then(() => 'ready' as const), timeout, child.exited];
  try {
    const outcome = await Promise.race(outcomes);
    if (outcome === 'ready') return;
    if (outcome === 'timeout') throw new Error(`not ready after ${definition.readyTimeoutMs / 1000} s (${lastError})`);
    throw new Error(outcome.text);
  } finally {
    over.abort();
    // The abort ends the other promises; their rejections are redundant.
    for (const outcome of outcomes) outcome.catch(() => undefined);
  }
}

async function probeUntilReady(
  check: (signal: AbortSignal) => Promise<void>,
  stop: AbortSignal,
  failed: (reason: string) => void,
): Promise<void> {
  for (;;) {
    stop.throwIfAborted();
    try {
      await check(AbortSignal.any([stop, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
      return;
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
    await delay(PROBE_EVERY_MS, undefined, { signal: stop });
  }
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Uptime after which the delay resets. */
const HEALTHY_AFTER_MS = 60_000;

/** Doubling delays between restarts of a service. Times are milliseconds of a monotonic clock. */
export class Backoff {
  #failures = 0;
  #readySince: number | null = null;

  /** The service is ready. */
  ready(nowMs: number): void {
    this.#readySince = nowMs;
  }

  /** The service ended or was never ready. Returns the delay before the next start. */
  failed(nowMs: number): number {
    if (this.#readySince !== null && nowMs - this.#readySince >= HEALTHY_AFTER_MS) this.#failures = 0;
    this.#readySince = null;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    return delayMs;
  }

  /** Consecutive failures. */
  get failures(): number {
    return this.#failures;
  }
}

/** Start attempts of a service that was never ready, before the start fails. */
const FIRST_START_TRIES = 3;
const KILL_WAIT_MS = 5000;
const SHOWN_LOG_LINES = 8;
const ENDING_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']);

export interface ServiceHost {
  readonly dataDir: string;
  readonly supervisor: ProcessIdentity;
  readonly logFolder: string;
  readonly changed: (name: string, state: NodeState) => void;
  readonly progress: (text: string) => void;
}

/** Supervises one process: starts it, waits until it is ready, restarts it when it ends, stops it cleanly. */
export class SupervisedService {
  readonly definition: ServiceDefinition;
  readonly #host: ServiceHost;
  #state: NodeState;
  #child: Child | null = null;
  #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #ready = Promise.withResolvers<void>();
  #skipDelay = false;

  constructor(definition: ServiceDefinition, host: ServiceHost) {
    this.definition = definition;
    this.#host = host;
    this.#state = {
      kind: 'service',
      status: 'waiting',
      stopSignal: definition.stopSignal,
      restarts: 0,
      since: new Date().toISOString(),
    };
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Id of the running process, or null. */
  get pid(): number | null {
    return this.#child?.alive() ? this.#child.identity.pid : null;
  }

  /** Resolves when the service is ready (again). Rejects if it failed or was stopped. */
  whenReady(): Promise<void> {
    return this.#state.status === 'ready' ? Promise.resolve() : this.#ready.promise;
  }

  /** Starts the service; resolves once it is ready. Rejects with SupervisorError after the last attempt. */
  start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#renewReady();
    this.#loop = this.#superviseUntilStopped();
    return this.#ready.promise;
  }

  /** Stops the service cleanly, by force after its timeout. Resolves once no process remains. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child?.alive()) {
      this.#change('stopping');
      await this.#end(child, this.definition.stopGraceMs);
    }
    await this.#loop;
    if (this.#state.status !== 'failed') this.#change('stopped');
  }

  /** Signals the running process; returns false without one. After an ending signal, whenReady waits for the next process. */
  kill(signal: NodeJS.Signals): boolean {
    if (!this.#child?.alive()) return false;
    if (ENDING_SIGNALS.has(signal)) this.#expectSuccessor(`was sent ${signal}`);
    return process.kill(this.#child.identity.pid, signal);
  }

  /** Ends the process at once; synchronous, for the supervisor's exit. */
  killNow(signal: NodeJS.Signals = this.definition.emergencySignal): void {
    this.#stopping.abort();
    if (this.#child?.alive()) signalGroup(this.#child.identity.pid, signal);
  }

  /** Stops the process cleanly; resolves once the next one is ready. */
  async restart(): Promise<void> {
    await this.whenReady();
    this.#skipDelay = true;
    const child = this.#child;
    this.#expectSuccessor('restart requested');
    if (child) await this.#end(child, this.definition.stopGraceMs);
    await this.whenReady();
  }

  async #superviseUntilStopped(): Promise<void> {
    const backoff = new Backoff();
    let wasReady = false;
    this.#change('starting');
    while (!this.#stopping.signal.aborted) {
      let reason: string;
      let prepared = false;
      try {
        const command = await this.definition.prepare({ signal: this.#stopping.signal, update: this.#host.progress });
        prepared = true;
        const child = await this.#startOnce(command);
        wasReady = true;
        backoff.ready(performance.now());
        this.#change('ready', this.#state.detail);
        this.#ready.resolve();
        reason = (await child.exited).text;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        if (this.#child?.alive()) await this.#end(this.#child, this.definition.stopGraceMs);
      }
      if (this.#stopping.signal.aborted) break;
      const taken = wasReady || !prepared ? null : await firstTakenPort(this.definition.ports);
      if (taken !== null) {
        this.#giveUp('port-taken', `port ${taken} is in use by another program`, prepared);
        return;
      }
      const delayMs = this.#skipDelay ? 0 : backoff.failed(performance.now());
      this.#skipDelay = false;
      // A failed first preparation is permanent.
      if (!wasReady && (!prepared || backoff.failures >= FIRST_START_TRIES)) {
        this.#giveUp('start-failed', reason, prepared);
        return;
      }
      await this.#waitBeforeRestart(reason, delayMs);
    }
    this.#ready.reject(new SupervisorError('stopped-during-start', `${this.definition.name} was stopped.`));
  }

  async #startOnce(command: Command): Promise<Child> {
    this.#stopping.signal.throwIfAborted();
    const log = logPath(this.#host.logFolder, this.definition.name);
    const { name, stopSignal, readiness } = this.definition;
    const { dataDir, supervisor } = this.#host;
    const environment = { ...command.environment, ...markEnvironment({ name, stopSignal, dataDir, supervisor }) };
    const child = await startChild({ ...command, environment }, log, readiness.kind === 'message');
    this.#child = child;
    this.#change(this.#state.status, this.#state.detail);
    await awaitReadiness(this.definition, child, this.#stopping.signal);
    return child;
  }

  async #waitBeforeRestart(reason: string, delayMs: number): Promise<void> {
    this.#child = null;
    this.#state = { ...this.#state, restarts: this.#state.restarts + 1 };
    this.#expectSuccessor(reason);
    this.#host.progress(`${reason}; restarting in ${(delayMs / 1000).toFixed(1)} s`);
    try {
      await delay(delayMs, undefined, { signal: this.#stopping.signal });
    } catch {
      // Stopped while waiting; the loop ends.
    }
  }

  #giveUp(code: SupervisorErrorCode, reason: string, ran: boolean): void {
    const log = logPath(this.#host.logFolder, this.definition.name);
    const lines = ran ? `\nLast lines of ${log}:\n${lastLines(log, SHOWN_LOG_LINES).join('\n')}` : '';
    this.#change('failed', reason);
    const message = `${this.definition.name} did not start: ${reason}${lines}`;
    this.#ready.reject(new SupervisorError(code, message));
  }

  async #end(child: Child, graceMs: number): Promise<void> {
    const { pid } = child.identity;
    if (child.alive()) child.requestStop(this.definition.stopSignal);
    if (await endsWithin(child, graceMs)) return;
    signalGroup(pid, 'SIGKILL');
    await endsWithin(child, KILL_WAIT_MS);
  }

  /** Replaces the ready promise once it has settled. */
  #expectSuccessor(reason: string): void {
    if (this.#state.status === 'ready') this.#renewReady();
    this.#change('restarting', reason);
  }

  #renewReady(): void {
    this.#ready = Promise.withResolvers<void>();
    // Marks the rejection as handled; waiters still receive it.
    this.#ready.promise.catch(() => undefined);
  }

  #change(status: NodeStatus, detail?: string): void {
    const { process: _gone, detail: _old, ...rest } = this.#state;
    const child = this.#child;
    this.#state = {
      ...rest,
      status,
      since: status === rest.status ? rest.since : new Date().toISOString(),
      ...(child?.alive() ? { process: child.identity } : {}),
      ...(detail === undefined ? {} : { detail }),
    };
    this.#host.changed(this.definition.name, this.#state);
  }
}

async function endsWithin(child: Child, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([child.exited.then(() => true), late]);
  timer.abort();
  return ended;
}
