import type { Call } from '../calls.ts';
import { isCheck } from '../commands.ts';
import { changedFiles } from '../repairs.ts';
import { shorten } from '../../../domain/text/clean.ts';
import { listed, shownLine } from './notes.ts';

/** What tool calls alone show of the work. */
interface Activity {
  /** "Changed a.ts and b.ts, `npm test` passed"; empty without calls. */
  readonly title: string;
  /** One or two sentences: files, commands, failures, the outcome of the last check. */
  readonly text: string;
}

const MAX_KEY_CHARACTERS = 40;

/** Returns what the calls did, by their inputs and outcomes: for a window in which nobody says it. */
export function activityOf(calls: readonly Call[]): Activity {
  const edits = calls.filter(({ edits }) => edits);
  const changed = changedFiles(edits);
  const read = namesOf(calls.flatMap(({ row }) => row.filesRead)).filter((name) => !changed.includes(name));
  const commands = calls.filter(({ command }) => command !== null);
  const failed = commands.filter(({ outcome }) => outcome === 'failed').length;
  const check = commands.findLast(({ command }) => command !== null && isCheck(command.family));
  // A command that ran once is shown with its arguments.
  const ran = byFrequency(
    [...Map.groupBy(commands, keyOf)].flatMap(([key, [first, ...more]]) =>
      first !== undefined && more.length === 0 ? [lineOf(first)] : [key, ...more.map(() => key)],
    ),
  );
  const others = byFrequency(calls.filter((call) => isOther(call)).map(({ row }) => row.tool ?? ''));
  const outcome = check === undefined ? '' : `\`${keyOf(check)}\` ${check.outcome === 'failed' ? 'failed' : 'passed'}`;
  const parts = [
    changed.length > 0 ? `Changed ${listed(changed)}` : '',
    commands.length > 0 ? `Ran ${counted(ran)}` : '',
    read.length > 0 ? `Read ${listed(read)}` : '',
    others.length > 0 ? `Called ${counted(others)}` : '',
  ].filter((part) => part !== '');
  const [main = ''] = parts;
  const success = failed === 0 ? 'all succeeded' : `${String(failed)} failed`;
  return {
    title: outcome === '' || (main.startsWith('Ran') && ran.length === 1) ? main : `${main}; ${outcome}`,
    text: [
      ...parts.map((part) => `${part}.`),
      ...(commands.length > 0 ? [`${plural(commands.length, 'command')}, ${success}${endOf(outcome)}.`] : []),
    ].join(' '),
  };
}

function endOf(outcome: string): string {
  return outcome === '' ? '' : `; ${outcome} last`;
}

/** Returns true for calls that neither run a command nor name a file. */
function isOther({ command, edits, row }: Call): boolean {
  return command === null && !edits && row.filesRead.length === 0;
}

function keyOf({ command, row }: Call): string {
  return (command?.key === undefined || command.key === '' ? row.title : command.key)
    .replaceAll('`', "'")
    .slice(0, MAX_KEY_CHARACTERS);
}

function lineOf(call: Call): string {
  return shorten(shownLine(call), MAX_KEY_CHARACTERS) || keyOf(call);
}

function namesOf(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.map((path) => path.split(/[\\/]/u).at(-1) ?? path))];
}

type Counted = readonly (readonly [name: string, times: number])[];

function byFrequency(names: readonly string[]): Counted {
  return [...Map.groupBy(names, (name) => name)]
    .map(([name, same]) => [name, same.length] as const)
    .sort((a, b) => b[1] - a[1]);
}

/** "`npm test` twice, `git commit` and 2 more". */
function counted(names: Counted): string {
  return listed(names.map(([name, times]) => `\`${name}\`${times === 1 ? '' : ` (${String(times)} times)`}`));
}

function plural(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
