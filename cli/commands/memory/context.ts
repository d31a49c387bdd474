import type { Command } from 'commander';
import type { ContextAnswer } from '../../../client/index.ts';
import type { Cli } from '../../cli.ts';
import { projectHere } from '../../project-here.ts';
import { inertText } from '../../../domain/recalled/inert-text.ts';
import { blockContent } from '../../../domain/recalled/recalled-block.ts';
import { terminalText } from '../../text/terminal-text.ts';

interface Options {
  readonly dataDir: string;
  readonly prompt?: string;
  readonly file?: string;
  readonly project?: string;
  readonly namespace?: string;
  readonly budget?: string;
  readonly preview?: boolean;
  readonly explain?: boolean;
  readonly json?: boolean;
}

/** Returns the context; on a terminal without the tags, which are for capture. */
function blockText(answer: ContextAnswer, isExplained: boolean, isTerminal: boolean): string {
  const { text, tokens, items, omitted } = answer;
  if (text === '') return 'No context.\n';
  const reasons = items.map(
    ({ hash, reason, tokens, score }) => `  ${hash}  ${score.toFixed(2)}  ${tokens} tokens  ${reason}\n`,
  );
  const why = isExplained ? `\n${tokens} tokens; ${omitted} did not fit\n${reasons.join('')}` : '';
  const shown = terminalText(isTerminal ? blockContent(text) : text);
  return `${shown.trim()}\n${inertText(why)}`;
}

export function addContext(program: Command, cli: Cli): void {
  cli
    .command(
      program,
      'context',
      'show the context served to an agent: at session start, for a prompt, or before it reads a file',
    )
    .option('--prompt <words>', 'context for a prompt')
    .option('--file <path>', 'context for a file')
    .option('--project <project>', 'id, git remote, folder or name (default: this folder)')
    .option('--namespace <name>', 'filter by namespace')
    .option('--budget <tokens>', 'token budget, 50 to 8000 (default: 900)')
    .option('--preview', 'do not record the context as served')
    .option('--explain', 'show the reason of each item')
    .option('--json', 'print JSON')
    .action(
      cli.onMemory(async (memory, options: Options) => {
        const { prompt, file, project, namespace, budget, preview, explain, json, dataDir } = options;
        const answer = await memory.context({
          purpose: file !== undefined ? 'file' : prompt !== undefined ? 'prompt' : 'session_start',
          prompt,
          file,
          project: project ?? (await projectHere(dataDir)).known,
          namespace,
          budget_tokens: budget === undefined ? undefined : Number(budget),
          preview,
        });
        cli.print(json, answer, blockText(answer, explain === true, cli.output.columns !== null));
      }),
    );
}
