import type { SourceRow } from '../../domain/ports/model.ts';
import { plainText, stripAnsi, verbatimHead, verbatimTail } from '../../domain/text/clean.ts';
import { type Command, isCheck, readCommand } from './commands.ts';

type Outcome = 'failed' | 'passed' | 'unknown';

/** A parsed tool call. */
export interface Call {
  readonly row: SourceRow;
  readonly rowIndex: number;
  readonly input: string;
  readonly output: string;
  /** Null for tools without a command. */
  readonly command: Command | null;
  readonly outcome: Outcome;
  /** True if it changed files. */
  readonly edits: boolean;
  /** The most informative line of the failure, verbatim; empty if it did not fail. */
  readonly errorLine: string;
  /** Name of the first failing test, verbatim; empty if the output names none. */
  readonly failedTest: string;
  /** The line that shows the success, verbatim; empty if the output has none. */
  readonly passLine: string;
}

const SHELL_TOOLS =
  /^(?:bash|shell|sh|powershell|terminal|exec\w*|run_\w*(?:command|shell|terminal)\w*|local_shell)$/iu;
const EDIT_TOOLS =
  /^(?:edit|write|multiedit|notebookedit|apply_patch|str_replace\w*|create_file|update|replace|write_file|edit_file)$/iu;
/** Commands that change files which their input does not name. */
const EDIT_COMMAND = /^\$ .*\b(?:sed -i|perl -p?i|git (?:checkout -- |restore |revert |apply )|apply_patch|patch -p)/u;
/** Only both ends of a long output are read: errors are there. */
const READ_CHARACTERS = 16_000;
const MAX_QUOTE_CHARACTERS = 300;

/** Error lines, most informative first. */
const ERROR_LINES: readonly RegExp[] = [
  /^\s*(?:E\s+|Uncaught |Caused by: |\w*: )?(?:[A-Za-z_][\w.]*(?:Error|Exception|Panic))\b\s*(?:\[[^\]]+\])?:\s*\S.*$/u,
  /\berror(?:\[E\d+\]:| TS\d+:)\s*\S/u,
  /command not found|No such file or directory|[Pp]ermission denied|verification failed|[Cc]annot find module|is not recognized/u,
  /^\s*(?:fatal:|panic:|×|not ok\b|FAILED\b)\s*\S/u,
  /^.*\berror(?: [A-Z]+\d+)?:\s*(?!Using\b)\S/iu,
  /^\s*(?:npm ERR!|npm error|ERR!|[✗✘✕✖]|FAIL\b|Failed\b)\s*:?\s*(?!failing tests)\S/u,
  /\b(?!0\b)\d+ (?:[Ff]ailed|failing|failures?|errors?)\b/u,
  /^\s*(?:assert\b|[Ee]xpected\b)/u,
];
/** Failed tests as test runners name them. */
const FAILED_TEST =
  /^\s*(?:[✗✘✕✖×]|not ok \d+ -|FAIL(?:ED)?|--- FAIL:)\s+(?!failing tests)(?<test>[^\n]{3,160}?)(?:\s+\(\d[\d.]*\s?m?s\)|\s+\d+\s?ms)?\s*$/u;
const CHECK_FAILURE =
  /\b(?!0\b)\d+ (?:[Ff]ailed|failing|[Ff]ailures?|[Ee]rrors?)\b|\b(?:fail|failed|failures|errors)[ :=]+(?!0\b)\d+|^\s*(?:FAIL(?:ED)?\b|E {2,}\S|not ok\b|[✗✘✕✖×] )|\bFAILED\b|Traceback \(most recent|npm (?:ERR!|error)|error TS\d+|error\[E\d+\]|^[Ee]rror:|^panic:|Failed$|command not found|^\w*Error:/mu;
/** Lines without a message: blank, rules, hook progress, the exit code. */
const SAYS_NOTHING =
  /^\W*$|^\s*(?:exit code|error:\s*$)|[=\-_*]{6,}|\.{6,}|^\s*(?:error:)?\s*[.sFExX]{2,}\s*\[|^\s*- hook id|^(?:configfile|cachedir|plugins):|^\s*(?:platform|rootdir|collected)\b/iu;
const PLAIN_FAILURE =
  /^\s*(?:<tool_use_error>)?\s*(?:error:|fatal:|bash:|zsh:|sh:|\(eval\)|usage error|traceback \(most recent|panic:|exit code:? [1-9]|command failed|npm ERR!)|^.*(?:command not found|No such file or directory)\s*$/iu;
const PASS_LINE =
  /^.*(?:\b(?!0\b)\d+ (?:tests? )?pass(?:ed|ing)?\b|\bpass[ :=]+(?!0\b)\d+|\ball (?:checks|tests|files)\b.*(?:pass|formatted)|\btests?:? .*pass|^\s*OK\b|^ok\b|\bBUILD SUCCESS|\bsuccess(?:fully)?\b|\b0 (?:errors?|problems|failures)\b|no (?:issues|errors|problems) found|^Finished\b|✓|✔|^Compiled|^Installed|Passed).*$/imu;

/** Parses the tool calls among the rows, in order. */
export function callsOf(rows: readonly SourceRow[]): readonly Call[] {
  return rows.flatMap((row, rowIndex) =>
    row.role === 'observation' && row.tool !== null ? [readCall(row, rowIndex)] : [],
  );
}

function readCall(row: SourceRow, rowIndex: number): Call {
  const tool = row.tool ?? '';
  const cut = row.content.indexOf('\n\n');
  const input = cut === -1 ? row.content : row.content.slice(0, cut);
  const output = cut === -1 ? '' : ends(row.content.slice(cut + 2));
  const isShell = SHELL_TOOLS.test(tool);
  const command = isShell ? readCommand(commandLine(input)) : null;
  const outcome = outcomeOf(row, output, command, isShell);
  return {
    row,
    rowIndex,
    input,
    output,
    command,
    outcome,
    edits: outcome !== 'failed' && (row.filesModified.length > 0 || EDIT_TOOLS.test(tool) || EDIT_COMMAND.test(input)),
    errorLine: outcome === 'failed' ? errorLineOf(output === '' ? row.content : output, command) : '',
    failedTest: outcome === 'failed' && command?.family === 'test' ? failedTestOf(output) : '',
    passLine: outcome === 'passed' ? lineMatching(output, PASS_LINE) : '',
  };
}

/** Returns the command, whether the input was rendered as plain text, as `command: …` or as JSON. */
function commandLine(input: string): string {
  const json = /"command"\s*:\s*("(?:[^"\\]|\\.)*")/u.exec(input)?.[1];
  if (json !== undefined)
    return json
      .slice(1, -1)
      .replaceAll(String.raw`\n`, '\n')
      .replaceAll(String.raw`\"`, '"');
  return input.replace(/^\s*(?:command:\s*|\$ )/u, '').replace(/\n(?:description|timeout):.*$/su, '');
}

function outcomeOf(row: SourceRow, output: string, command: Command | null, isShell: boolean): Outcome {
  if (row.type === 'error') return 'failed';
  const text = stripAnsi(output);
  const head = text.trimStart().slice(0, 400).split('\n').slice(0, 3).join('\n');
  if (PLAIN_FAILURE.test(head.split('\n')[0] ?? '')) return 'failed';
  if (!isShell || command === null) return 'passed';
  if (command.family === 'look' || command.family === 'vcs') return 'passed';
  if (isCheck(command.family) || command.family === 'install') return CHECK_FAILURE.test(text) ? 'failed' : 'passed';
  return PLAIN_FAILURE.test(head) || /Traceback \(most recent call last\)/u.test(text) ? 'failed' : 'passed';
}

function errorLineOf(output: string, command: Command | null): string {
  for (const pattern of ERROR_LINES) {
    const line = lineMatching(output, pattern, SAYS_NOTHING);
    if (line !== '') return withDetail(output, line);
  }
  // The first output of a check or a hook is not an error.
  if (command !== null && (isCheck(command.family) || command.family === 'vcs')) return '';
  return lineMatching(output, /\S/u, SAYS_NOTHING);
}

/** Returns an error line that ends with a colon together with the line that it announces. */
function withDetail(output: string, line: string): string {
  if (!line.endsWith(':')) return line;
  const start = output.indexOf(line);
  const detail = /^\s*[^\n]+/u.exec(output.slice(start + line.length))?.[0] ?? '';
  return line.length + detail.length > MAX_QUOTE_CHARACTERS ? line : line + detail.trimEnd();
}

function failedTestOf(output: string): string {
  for (const line of output.split('\n')) {
    const test = FAILED_TEST.exec(line.slice(0, 400))?.groups?.['test'];
    if (test !== undefined) return test.trim();
  }
  return '';
}

function lineMatching(text: string, pattern: RegExp, except?: RegExp): string {
  for (const line of text.split('\n')) {
    const plain = stripAnsi(line.slice(0, 2000));
    if (pattern.test(plain) && !except?.test(plain)) return verbatimHead(line.trim(), MAX_QUOTE_CHARACTERS);
  }
  return '';
}

function ends(text: string): string {
  return text.length <= READ_CHARACTERS * 2
    ? text
    : `${verbatimHead(text, READ_CHARACTERS)}\n${verbatimTail(text, READ_CHARACTERS)}`;
}

/** Returns an error line for people: without test runner marks and duplicate prefixes. */
export function readableError(line: string): string {
  return plainText(line)
    .replace(/^(?:E\s+|error:\s*)+/iu, '')
    .replace(/\s*\[ERR_\w+\]/u, '')
    .replace(/^(?:[✗✘✕✖×]|FAIL(?:ED)?|not ok)\s+/u, '')
    .replace(/^\(eval\):\d+:\s*/u, '')
    .trim();
}
