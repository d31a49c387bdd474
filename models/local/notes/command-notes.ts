import { termsOf } from '../../../domain/text/terms.ts';
import { type Call, readableError } from '../calls.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { commitSubjectOf } from './commit-notes.ts';
import { citeLine, citeRow, distinct, shownLine } from './notes.ts';
import { isCheck } from '../commands.ts';
import { repairsOf } from '../repairs.ts';

const MAX_ERROR_CHARACTERS = 160;
/** Runs of checks and looks at files are no notes: their outcome is in what was said and repaired. */
const MIN_WORTH = 0.95;
const LOOKS =
  /^(?:cat|ls|head|tail|less|grep|rg|find|tree|wc|which|pwd|echo|sed -n|file|stat|du|diff|jq|sort|awk|curl -s|printf|test|true|sleep|ps|env|type|man)\b/u;
const CHANGES =
  /\b(?:git (?:mv|rm|clone|init|remote add|tag|rebase|reset|revert|cherry-pick|merge|stash|filter-\w+|worktree|submodule|config)|mv|rm|cp|ln|chmod|chown|xargs \S+ ?(?:rm|mv)|sed -i|tee|crontab|launchctl|systemctl|defaults write)\b|>>?\s*[~./\w]/u;
const PUBLISHES =
  /^(?:gh|glab|hub|docker|kubectl|helm|terraform|aws|gcloud|az|vercel|fly|heroku|npm publish|cargo publish|twine|ssh|scp|rsync)\b/u;
const INSTALLS =
  /\b(?:(?:npm|pnpm|yarn|bun) (?:i|install|add|ci|init|create)|pipx? install|pip3 install|uv (?:pip install|add|tool|venv|sync|init|python)|uvx|npx|poetry add|brew install|apt(?:-get)? install|cargo (?:add|install)|go (?:get|install)|gem install)\b|\|\s*(?:ba|z)?sh\b/u;
const DISCARDS = /\s*[12&]?>\s*(?:\/dev\/null|&[12])/gu;
/** Subcommands that only display something. */
const SHOWS = /^\S+ (?:\S+ )?(?:status|list|ls|view|get|describe|logs?|ps|info|show|version|images|whoami)\b/u;
/** Clean-up commands. */
const TIDIES = /^(?:rm|rmdir|mkdir|touch|cp|chmod)\b/u;
const ROUTINE_GIT =
  /^git (?:status|add|diff|log|show|branch|fetch|pull|push|reflog|blame|shortlog|remote -v)\b(?!.*&&.*git (?:commit|mv|rm))/u;

/** Returns notable commands: changes, installs, publications, commits or failures; repetitions of a kind count less. Skips rows in `covered`, which a repair covers. */
export function commandNotes(calls: readonly Call[], covered: ReadonlySet<string>): readonly Candidate[] {
  const seen = new Map<string, number>();
  const fixed = new Set(repairsOf(calls).map(({ success }) => success));
  return calls.flatMap((call) => {
    if (call.command === null) return [];
    const line = shownLine(call);
    // A commit has its own note.
    if (line === '' || covered.has(call.row.id) || commitSubjectOf(call) !== '') return [];
    const before = seen.get(call.command.key) ?? 0;
    if (call.outcome !== 'failed') seen.set(call.command.key, before + 1);
    const error = call.outcome === 'failed' ? readableError(call.errorLine).slice(0, MAX_ERROR_CHARACTERS) : '';
    const failed = call.outcome === 'failed';
    const text = failed ? `\`${line}\` failed${error === '' ? '' : `: ${error}`}` : `\`${line}\``;
    const value =
      (worthOf(line, call) +
        (error === '' ? 0 : isCheck(call.command.family) ? 0.8 : 0) +
        (fixed.has(call) ? 0.4 : 0)) /
      (1 + 0.2 * before);
    if (error === '' && value < MIN_WORTH) return [];
    return [
      {
        place: 'point' as const,
        kind: null,
        title: '',
        text,
        evidence: distinct([...citeLine(call.row, failed ? call.errorLine : ''), ...citeRow(call.row)], 1),
        terms: termsOf(text),
        value,
        rowIndex: call.rowIndex,
        order: 0,
        isFromUser: false,
      },
    ];
  });
}

function worthOf(shown: string, { command, outcome }: Call): number {
  // Discarded output is no change of a file.
  const line = shown.replaceAll(DISCARDS, '');
  const failed = outcome === 'failed' ? -0.3 : 0;
  if (isUnfinished(line)) return 0.15;
  // A commit with a subject has a note of its own.
  if (/\bgit commit\b/u.test(line)) return 0.5 + failed;
  if (ROUTINE_GIT.test(line)) return 0.1 + (line.length > 24 ? 0.1 : 0);
  if (TIDIES.test(line)) return 0.6 + failed;
  if (INSTALLS.test(line) || CHANGES.test(line)) return 2.4 + failed;
  if (SHOWS.test(line)) return 0.4 + failed;
  if (PUBLISHES.test(line)) return 2.2 + failed;
  if (command !== null && isCheck(command.family)) return command.targets.length > 0 || /\s-/u.test(line) ? 0.3 : 0.1;
  if (LOOKS.test(line)) return 0.1;
  return 0.9 + failed;
}

/** Returns true if the program continues on the next lines. */
function isUnfinished(line: string): boolean {
  if (/[({\\]$|<<-?\s*['"]?\w+['"]?$/u.test(line)) return true;
  // A commit's message continues below its first line, which suffices.
  return /\s-[ec]\s+["']?$/u.test(line);
}
