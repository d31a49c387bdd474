/** Every workflow of the bundle, and the shapes of its histories that must be stored: a release that cannot replay one breaks live sessions. */
export const SHAPES = {
  session: ['happy', 'reopened', 'provider-away', 'continued', 'idle', 'cancelled', 'deleted', 'unsummarised'],
  learning: ['happy', 'failed'],
  index: ['happy', 'refused', 'away', 'continued'],
  captureSweep: ['happy', 'failed'],
  partitions: ['happy'],
} as const satisfies Record<string, readonly string[]>;

export type WorkflowName = keyof typeof SHAPES;

/** Name of the file that holds a shape's history. */
export function historyFile(workflow: string, shape: string): string {
  return `${workflow}.${shape}.json`;
}
