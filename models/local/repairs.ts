import type { Call } from './calls.ts';
import { answers, isCheck } from './commands.ts';

/** A fixed failure: the failing runs, the edits between them, and the passing run. */
export interface Repair {
  readonly failures: readonly [Call, ...Call[]];
  /** Edits after which it still failed. */
  readonly wrongEdits: readonly Call[];
  /** Edits between the last failure and the success. */
  readonly edits: readonly Call[];
  readonly success: Call;
}

interface OpenFailure {
  readonly failures: [Call, ...Call[]];
  wrongEdits: Call[];
  edits: Call[];
}

/** A failing command that is no check is dropped after this many calls: a later success has another reason. */
const MAX_CALLS_TO_ANSWER = 12;

/** Pairs failing commands with the later success, in the order of the successes. */
export function repairsOf(calls: readonly Call[]): readonly Repair[] {
  const repairs: Repair[] = [];
  let open: OpenFailure[] = [];
  calls.forEach((call) => {
    if (call.edits) for (const failure of open) failure.edits.push(call);
    const command = call.command;
    if (command === null) return;
    open = open.filter((failure) => isFresh(failure, call));
    const matching = open.filter(({ failures: [first] }) => first.command !== null && answers(command, first.command));
    if (call.outcome === 'failed') {
      const [story] = matching;
      if (story === undefined) {
        open.push({ failures: [call], wrongEdits: [], edits: [] });
      } else {
        story.failures.push(call);
        story.wrongEdits.push(...story.edits);
        story.edits = [];
      }
    } else if (call.outcome === 'passed') {
      for (const { failures, wrongEdits, edits } of matching)
        repairs.push({ failures, wrongEdits, edits, success: call });
      open = open.filter((failure) => !matching.includes(failure));
    }
  });
  return repairs;
}

function isFresh({ failures }: OpenFailure, call: Call): boolean {
  const last = failures.at(-1) ?? failures[0];
  if (last.command !== null && isCheck(last.command.family)) return true;
  return call.rowIndex - last.rowIndex <= MAX_CALLS_TO_ANSWER;
}

/** Returns the distinct names of the changed files, without folders. */
export function changedFiles(edits: readonly Call[]): readonly string[] {
  const paths = edits.flatMap(({ row }) => row.filesModified);
  return [...new Set(paths.map((path) => path.split(/[\\/]/u).at(-1) ?? path))];
}

/** A test is run at most this many rows after it is written. */
const ROWS_FROM_TEST_TO_RUN = 6;

/** Returns true for a deliberate failure: the failing test was written just before the run. The repair is then a feature or a change, not a bugfix. */
export function isTestFirst({ failures: [first] }: Repair, calls: readonly Call[]): boolean {
  const test = first.failedTest === '' ? first.command?.targets.at(-1)?.split('::').at(-1) : first.failedTest;
  return calls.some(
    ({ edits, rowIndex, row }) =>
      edits &&
      rowIndex < first.rowIndex &&
      first.rowIndex - rowIndex <= ROWS_FROM_TEST_TO_RUN &&
      test !== undefined &&
      row.filesModified.some((path) => /(?:test|spec)/iu.test(path)) &&
      row.content.includes(test),
  );
}
