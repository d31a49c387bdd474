import type { Command } from 'commander';
import type { ContextAnswer } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { projectHere } from '../../project-here.ts';
import { inertText } from '../../../domain/recalled/inert-text.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { withMemory } from '../../with-server.ts';

interface Options {
  readonly dataDir: string;
  readonly prompt?: string;
  readonly file?: string;
  readonly project?: string;
  readonly namespace?: string;
  readonly budget?: string;
  readonly explain?: boolean;
  readonly json?: boolean;
}

function blockText({ text, tokens, items, omitted }: ContextAnswer, isExplained: boolean): string {
  if (text === '') return 'No context.\n';
  const reasons = items.map(
    ({ hash, reason, tokens, score }) => `  ${hash}  ${score.toFixed(2)}  ${tokens} tokens  ${reason}\n`,
  );
  const why = isExplained ? `\n${tokens} tokens; ${omitted} did not fit\n${reasons.join('')}` : '';
  return `${terminalText(text).trimEnd()}\n${inertText(why)}`;
}

export function addContext(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('context'), environment)
    .description('show the context served to an agent: at session start, for a prompt, or before it reads a file')
    .option('--prompt <words>', 'context for a prompt')
    .option('--file <path>', 'context for a file')
    .option('--project <project>', 'id, git remote, folder or name (default: this folder)')
    .option('--namespace <name>', 'filter by namespace')
    .option('--budget <tokens>', 'token budget, 50 to 8000 (default: 900)')
    .option('--explain', 'show the reason of each item')
    .option('--json', 'print JSON')
    .action(async (options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const { prompt, file, project, namespace, budget } = options;
          const answer = await memory.context({
            purpose: file !== undefined ? 'file' : prompt !== undefined ? 'prompt' : 'session_start',
            prompt,
            file,
            project: project ?? (await projectHere(options.dataDir)).known,
            namespace,
            budget_tokens: budget === undefined ? undefined : Number(budget),
          });
          output.out(
            options.json === true ? `${JSON.stringify(answer)}\n` : blockText(answer, options.explain === true),
          );
          return 0;
        }),
      ),
    );
}
