import type { Command } from 'commander';
import type { ContextAnswer } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
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
  readonly why?: boolean;
  readonly json?: boolean;
}

function blockText({ text, tokens, items, omitted }: ContextAnswer, isExplained: boolean): string {
  if (text === '') return 'Nothing is worth telling.\n';
  const reasons = items.map(
    ({ hash, reason, tokens, score }) => `  ${hash}  ${score.toFixed(2)}  ${tokens} tokens  ${reason}\n`,
  );
  const why = isExplained ? `\n${tokens} tokens; ${omitted} did not fit\n${reasons.join('')}` : '';
  return `${terminalText(text).trimEnd()}\n${inertText(why)}`;
}

export function addContext(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('context'), environment)
    .description(
      'show what an agent would be told: at the start of a session here, for a prompt, or before it reads a file',
    )
    .option('--prompt <words>', 'for this prompt')
    .option('--file <path>', 'for this file')
    .option('--project <project>', 'id, git remote, folder or name; else this folder')
    .option('--namespace <name>', 'of this namespace')
    .option('--budget <tokens>', '50 to 8000; default 900')
    .option('--explain', 'and why each item is there')
    .option('--json', 'for programs')
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
          output.out(options.json === true ? `${JSON.stringify(answer)}\n` : blockText(answer, options.why === true));
          return 0;
        }),
      ),
    );
}
