import { CodedError } from '../coded-error.ts';
import type { StopSignal } from './state.ts';

/** Command of a service. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Niceness 0 to 19; default 0. */
  readonly niceness?: number;
}

/** Readiness of a service. */
export type Readiness =
  /** Polled: resolves once the service is ready, else rejects. */
  | { readonly kind: 'probe'; readonly check: (signal: AbortSignal) => Promise<void> }
  /** A Node child that sends `{ type: 'ready' }` over its channel and stops when the channel closes. */
  | { readonly kind: 'message' };

/** A long-running process. */
export interface ServiceDefinition {
  readonly kind: 'service';
  readonly name: string;
  /** Nodes that must be ready or completed first. */
  readonly after: readonly string[];
  /** Called before every start and restart: writes configuration and repairs after a crash. */
  readonly prepare: (context: StepContext) => Promise<Command>;
  /** Bound ports. If the service is never ready and one is in use, the start fails with `port-taken`. */
  readonly ports: readonly number[];
  readonly readiness: Readiness;
  readonly readyTimeoutMs: number;
  /** Signal for a clean stop. */
  readonly stopSignal: StopSignal;
  /** Time for a clean stop before the group is killed. */
  readonly stopGraceMs: number;
  /** Signal that ends it at once without leaving children. */
  readonly emergencySignal: StopSignal;
}

/** A step run once per start, such as migrations. */
export interface StepDefinition {
  readonly kind: 'step';
  readonly name: string;
  readonly after: readonly string[];
  readonly run: (context: StepContext) => Promise<void>;
}

export type NodeDefinition = ServiceDefinition | StepDefinition;

export interface StepContext {
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
}

export type SupervisorErrorCode = 'bad-graph' | 'port-taken' | 'start-failed' | 'stopped-during-start';

export class SupervisorError extends CodedError<SupervisorErrorCode> {
  override readonly name = 'SupervisorError';
}

/** Checks that dependencies exist and are acyclic. @throws SupervisorError `bad-graph` */
export function checkGraph(nodes: readonly NodeDefinition[]): void {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  if (byName.size !== nodes.length) throw new SupervisorError('bad-graph', 'Duplicate name in the graph.');
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (finished.has(name)) return;
    if (path.includes(name))
      throw new SupervisorError('bad-graph', `Circular dependency: ${[...path, name].join(' → ')}.`);
    const node = byName.get(name);
    if (!node)
      throw new SupervisorError('bad-graph', `${path.at(-1) ?? 'Something'} depends on ${name}, which does not exist.`);
    for (const dependency of node.after) visit(dependency, [...path, name]);
    finished.add(name);
  };
  for (const node of nodes) visit(node.name, []);
}
