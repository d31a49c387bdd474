import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkGraph, SupervisorError } from './definitions.ts';
import type { NodeDefinition, StepDefinition } from './definitions.ts';
import { logPath, rotateLog } from './log-file.ts';
import { identifyProcess } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { writeState } from './state.ts';
import type { NodeState, Phase, SupervisorState } from './state.ts';
import { SupervisedService } from './supervised-service.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<() => void>();

function killAll(): void {
  for (const kill of running) kill();
}

/** A signal without a listener ends the process without exit handlers, so children are ended here. With other listeners, they decide. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Calls `kill` synchronously at any detectable end of this process. Returns a function that unregisters it. */
function endWithProcess(kill: () => void): () => void {
  if (running.size === 0) {
    process.on('exit', killAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  running.add(kill);
  return () => {
    if (!running.delete(kill) || running.size > 0) return;
    process.removeListener('exit', killAll);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  };
}

const ROTATE_EVERY_MS = 30_000;

export interface SupervisorOptions {
  /** Set in the environment of every process, to identify orphans. */
  readonly dataDir: string;
  readonly nodes: readonly NodeDefinition[];
  readonly logFolder: string;
  readonly stateFile: string;
  readonly progress: Progress;
  /** Address in the state file. */
  readonly url?: string;
}

/** Runs a graph of services and steps: dependencies first, independent nodes concurrently, stop in reverse order. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services = new Map<string, SupervisedService>();
  readonly #self: ProcessIdentity;
  readonly #startedAt = new Date().toISOString();
  readonly #abort = new AbortController();
  #nodes: Record<string, NodeState> = {};
  #phase: Phase = 'starting';
  #error: string | undefined;
  #stopped: Promise<void> | null = null;
  #rotation: NodeJS.Timeout | undefined;
  #letGo: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    checkGraph(options.nodes);
    this.#options = options;
    this.#self = identifyProcess(process.pid) ?? { pid: process.pid, startTime: 'unknown' };
    for (const node of options.nodes) {
      if (node.kind === 'service') this.#services.set(node.name, this.#superviseOne(node.name, node));
    }
  }

  /**
   * Starts all nodes; resolves once all are ready. If a node fails or the signal aborts, it stops the started nodes and rejects with
   * SupervisorError.
   */
  async start(signal: AbortSignal): Promise<void> {
    this.#letGo = endWithProcess(() => this.killAll());
    this.#nodes = Object.fromEntries(this.#options.nodes.map((node) => [node.name, waiting(node)]));
    this.#setPhase('starting');
    const abortStart = (): void => this.#abort.abort();
    signal.addEventListener('abort', abortStart, { once: true });
    if (signal.aborted) abortStart();
    try {
      await this.#startAll();
      if (signal.aborted) throw stoppedDuringStart();
    } catch (error) {
      if (signal.aborted) {
        await this.stop();
        throw stoppedDuringStart();
      }
      this.#error = error instanceof Error ? error.message : String(error);
      await this.stop();
      throw error;
    } finally {
      signal.removeEventListener('abort', abortStart);
    }
    this.#rotation = setInterval(() => this.#rotateLogs(), ROTATE_EVERY_MS).unref();
    this.#setPhase('running');
  }

  /** Stops all nodes, dependents first. Repeated calls wait for the same stop. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  /** Ends every process at once. Synchronous. */
  killAll(signal?: NodeJS.Signals): void {
    for (const service of this.#services.values()) service.killNow(signal);
  }

  service(name: string): SupervisedService {
    const service = this.#services.get(name);
    if (!service) throw new SupervisorError('bad-graph', `Service ${name} does not exist.`);
    return service;
  }

  state(): SupervisorState {
    return {
      supervisor: this.#self,
      phase: this.#phase,
      startedAt: this.#startedAt,
      ...(this.#options.url === undefined ? {} : { url: this.#options.url }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      nodes: this.#nodes,
    };
  }

  async #startAll(): Promise<void> {
    const started = new Map<string, Promise<void>>();
    const start = (node: NodeDefinition): Promise<void> => {
      const known = started.get(node.name);
      if (known) return known;
      const dependencies = this.#options.nodes.filter((other) => node.after.includes(other.name));
      const promise = Promise.all(dependencies.map((other) => start(other))).then(() => this.#startNode(node));
      started.set(node.name, promise);
      return promise;
    };
    try {
      await Promise.all(this.#options.nodes.map((node) => start(node)));
    } catch (error) {
      this.#abort.abort();
      await Promise.allSettled(started.values());
      throw error;
    }
  }

  async #startNode(node: NodeDefinition): Promise<void> {
    this.#abort.signal.throwIfAborted();
    const step = this.#options.progress.step(node.name);
    const startedAt = performance.now();
    try {
      if (node.kind === 'step') await this.#runStep(node, (text) => step.update(text));
      else await this.#startService(node.name);
    } catch (error) {
      step.fail(this.#abort.signal.aborted ? 'stopped' : error instanceof Error ? error.message : String(error));
      throw error;
    }
    step.done(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  }

  async #startService(name: string): Promise<void> {
    const service = this.service(name);
    const onAbort = (): void => void service.stop().catch(() => undefined);
    this.#abort.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await service.start();
    } finally {
      this.#abort.signal.removeEventListener('abort', onAbort);
    }
  }

  async #runStep(node: StepDefinition, update: (text: string) => void): Promise<void> {
    const { signal } = this.#abort;
    const stopped = Promise.withResolvers<never>();
    const onAbort = (): void => stopped.reject(stoppedDuringStart());
    signal.addEventListener('abort', onAbort, { once: true });
    this.#changed(node.name, { ...waiting(node), status: 'starting' });
    try {
      // A step that ignores the signal fails when its dependencies stop.
      await Promise.race([node.run({ signal, update }), stopped.promise]);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#changed(node.name, { ...waiting(node), status: 'failed', detail });
      throw error instanceof SupervisorError
        ? error
        : new SupervisorError('start-failed', `${node.name} failed: ${detail}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.#changed(node.name, { ...waiting(node), status: 'ready' });
  }

  async #stopAll(): Promise<void> {
    clearInterval(this.#rotation);
    this.#abort.abort();
    this.#setPhase('stopping');
    const stopped = new Map<string, Promise<void>>();
    const failures: unknown[] = [];
    const stop = (name: string): Promise<void> => {
      const known = stopped.get(name);
      if (known) return known;
      const dependents = this.#options.nodes.filter((node) => node.after.includes(name));
      const promise = Promise.all(dependents.map((node) => stop(node.name)))
        .then(() => this.#services.get(name)?.stop())
        // A failed stop must not prevent the others.
        .catch((error: unknown) => void failures.push(error));
      stopped.set(name, promise);
      return promise;
    };
    await Promise.all(this.#options.nodes.map((node) => stop(node.name)));
    this.killAll();
    this.#letGo();
    this.#setPhase(this.#error === undefined ? 'stopped' : 'failed');
    if (failures.length > 0) throw failures[0];
  }

  #superviseOne(name: string, definition: Extract<NodeDefinition, { kind: 'service' }>): SupervisedService {
    return new SupervisedService(definition, {
      dataDir: this.#options.dataDir,
      supervisor: this.#self,
      logFolder: this.#options.logFolder,
      changed: (service, state) => this.#changed(service, state),
      progress: (text) => this.#options.progress.step(name).update(text),
    });
  }

  #changed(name: string, state: NodeState): void {
    this.#nodes = { ...this.#nodes, [name]: state };
    this.#write();
  }

  #setPhase(phase: Phase): void {
    this.#phase = phase;
    this.#write();
  }

  /** Writes the state file. Failures (full disk, deleted folder) must not prevent a stop. */
  #write(): void {
    try {
      if (existsSync(path.dirname(this.#options.stateFile))) writeState(this.#options.stateFile, this.state());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.progress.step('state').update(`not writable: ${reason}`);
    }
  }

  /** Rotates the logs. A failure, as on a full disk, must not end this process, and all services with it. */
  #rotateLogs(): void {
    for (const name of this.#services.keys())
      try {
        rotateLog(logPath(this.#options.logFolder, name));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.progress.step('logs').update(`${name}.log not rotated: ${reason}`);
      }
  }
}

function waiting(node: NodeDefinition): NodeState {
  const stopSignal = node.kind === 'service' ? node.stopSignal : 'SIGTERM';
  return { kind: node.kind, status: 'waiting', stopSignal, restarts: 0, since: new Date().toISOString() };
}

function stoppedDuringStart(): SupervisorError {
  return new SupervisorError('stopped-during-start', 'Stopped before everything was ready.');
}
