import type { Call } from './calls.ts';
import { answers, isCheck } from './commands.ts';

/** A failure that was mended: the failing runs, the edits between, and the run that passed. */
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

/** A failing command that is no check is forgotten after so many calls: what succeeds later has another reason. */
const MAX_CALLS_TO_ANSWER = 12;

/** Pairs failing commands with the success that answers them, in the order of the successes. */
export function repairsOf(calls: readonly Call[]): readonly Repair[] {
  return followed(calls).repairs;
}

/** Last failing run of each command that nothing answered. */
export function openFailuresOf(calls: readonly Call[]): readonly Call[] {
  return followed(calls).open;
}

function followed(calls: readonly Call[]): { repairs: readonly Repair[]; open: readonly Call[] } {
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
  return { repairs, open: open.map(({ failures }) => failures.at(-1) ?? failures[0]) };
}

function isFresh({ failures }: OpenFailure, call: Call): boolean {
  const last = failures.at(-1) ?? failures[0];
  if (last.command !== null && isCheck(last.command.family)) return true;
  return call.rowIndex - last.rowIndex <= MAX_CALLS_TO_ANSWER;
}

/** Names of the files that the edits changed, without folders, each once. */
export function changedFiles(edits: readonly Call[]): readonly string[] {
  const paths = edits.flatMap(({ row }) => row.filesModified);
  return [...new Set(paths.map((path) => path.split(/[\\/]/u).at(-1) ?? path))];
}

/** A test is written and run within so many rows. */
const ROWS_FROM_TEST_TO_RUN = 6;

/**
 * True if the failure was made on purpose: the failing test was written just before the run. What follows is then a feature or
 * a change, not a bug's end.
 */
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
