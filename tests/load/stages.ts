/** A part of the run, in which the number of live sessions moves evenly from the target before to its own, as the stages of k6. */
export interface Stage {
  readonly name: 'ramp-up' | 'faults' | 'steady' | 'ramp-down';
  readonly lengthMs: number;
  readonly target: number;
}

const SHARES = { 'ramp-up': 0.1, faults: 0.4, steady: 0.4, 'ramp-down': 0.1 } as const;

/** Returns the stages of a run: processes are killed in `faults`, and memory is measured in `steady`, where none is. */
export function stagesOf(totalMs: number, sessions: number): Stage[] {
  const stage = (name: Stage['name'], target: number) => ({ name, lengthMs: totalMs * SHARES[name], target });
  return [stage('ramp-up', sessions), stage('faults', sessions), stage('steady', sessions), stage('ramp-down', 0)];
}

/** Returns the number of live sessions at a time of the run; 0 after its end. */
export function targetAt(stages: readonly Stage[], atMs: number): number {
  let startMs = 0;
  let before = 0;
  for (const { lengthMs, target } of stages) {
    if (atMs < startMs + lengthMs) return before + (target - before) * ((atMs - startMs) / lengthMs);
    startMs += lengthMs;
    before = target;
  }
  return 0;
}

/** Returns when a stage begins and ends, in ms of the run. */
export function boundsOf(
  stages: readonly Stage[],
  name: Stage['name'],
): { readonly fromMs: number; readonly toMs: number } {
  const index = stages.findIndex((stage) => stage.name === name);
  const fromMs = stages.slice(0, index).reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  return { fromMs, toMs: fromMs + (stages[index]?.lengthMs ?? 0) };
}
