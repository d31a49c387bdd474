import type { StopSignal } from './state.ts';

/** What to run for a service. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly uid?: number;
  readonly gid?: number;
  /** How far it stands back for others who want the processor: 0 to 19; 0 where it is not said. */
  readonly niceness?: number;
}

/** How a service shows that it works. */
export type Readiness =
  /** Asked again and again: resolves when it truly answers, rejects while it does not yet. */
  | { readonly kind: 'probe'; readonly check: (signal: AbortSignal) => Promise<void> }
  /** A Node child that sends `{ type: 'ready' }` over its channel, and stops when that channel closes. */
  | { readonly kind: 'message' };

/** A long-running process. */
export interface ServiceDefinition {
  readonly kind: 'service';
  readonly name: string;
  /** Names of what must be ready, or done, before this starts. */
  readonly after: readonly string[];
  /** Called before every start, also before a restart: makes configuration and repairs what a crash left. */
  readonly prepare: (context: StepContext) => Promise<Command>;
  /** What it binds. If it never got ready and one of them is taken, the start fails with `port-taken`. */
  readonly ports: readonly number[];
  readonly readiness: Readiness;
  readonly readyTimeoutMs: number;
  /** Asks for a clean stop. */
  readonly stopSignal: StopSignal;
  /** How long a clean stop may take before the group is killed. */
  readonly stopGraceMs: number;
  /** Ends it at once, still leaving nothing behind. */
  readonly emergencySignal: StopSignal;
}

/** Something done once in a start, such as migrations. */
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

export class SupervisorError extends Error {
  override readonly name = 'SupervisorError';
  readonly code: SupervisorErrorCode;

  constructor(code: SupervisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Checks that every dependency exists and none goes in a circle. Throws SupervisorError `bad-graph`. */
export function checkGraph(nodes: readonly NodeDefinition[]): void {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  if (byName.size !== nodes.length) throw new SupervisorError('bad-graph', 'Two parts of the instance have one name.');
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (finished.has(name)) return;
    if (path.includes(name)) throw new SupervisorError('bad-graph', `In a circle: ${[...path, name].join(' → ')}.`);
    const node = byName.get(name);
    if (!node)
      throw new SupervisorError('bad-graph', `${path.at(-1) ?? 'Something'} needs ${name}, which is not there.`);
    for (const dependency of node.after) visit(dependency, [...path, name]);
    finished.add(name);
  };
  for (const node of nodes) visit(node.name, []);
}
