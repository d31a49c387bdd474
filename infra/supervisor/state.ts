import { z } from 'zod';
import { writeFileAtomic } from '../instance/atomic-file.ts';
import { readJsonFile } from '../instance/json-file.ts';
import type { Leftover } from './orphans.ts';
import { processIdentitySchema } from './process-identity.ts';

export const signalSchema = z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL']);

const nodeStateSchema = z.object({
  kind: z.enum(['service', 'step']),
  status: z.enum(['waiting', 'starting', 'ready', 'restarting', 'stopping', 'stopped', 'failed']),
  process: processIdentitySchema.optional(),
  stopSignal: signalSchema.default('SIGTERM'),
  restarts: z.int().nonnegative().default(0),
  /** ISO time of the last change of status. */
  since: z.string(),
  /** Failure, or the end of the last process. */
  detail: z.string().optional(),
});

const stateSchema = z.object({
  supervisor: processIdentitySchema,
  phase: z.enum(['starting', 'running', 'stopping', 'stopped', 'failed']),
  startedAt: z.string(),
  url: z.string().optional(),
  error: z.string().optional(),
  nodes: z.record(z.string(), nodeStateSchema),
});

export type StopSignal = z.infer<typeof signalSchema>;
export type NodeState = Readonly<z.infer<typeof nodeStateSchema>>;
export type NodeStatus = NodeState['status'];
export type SupervisorState = Readonly<z.infer<typeof stateSchema>>;
export type Phase = SupervisorState['phase'];

/** Returns the last supervisor's state; null without a valid file. */
export function readState(file: string): SupervisorState | null {
  const stored = readJsonFile(file, stateSchema);
  return stored.kind === 'value' ? stored.value : null;
}

export function writeState(file: string, state: SupervisorState): void {
  writeFileAtomic(file, `${JSON.stringify(state, null, 2)}\n`, 0o600);
}

/** Returns the processes of a state, last started first; some may have ended. */
export function processesOf(state: SupervisorState): Leftover[] {
  const found: Leftover[] = [];
  for (const [name, node] of Object.entries(state.nodes)) {
    if (node.process) found.unshift({ name, ...node.process, stopSignal: node.stopSignal });
  }
  return found;
}
