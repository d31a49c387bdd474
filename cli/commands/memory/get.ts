import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { memoryText } from '../../text/memory-text.ts';
import { writeRecalled } from '../../text/recalled-text.ts';
import { withMemory } from '../../with-server.ts';

interface Options {
  readonly dataDir: string;
  readonly json?: boolean;
}

export function addGet(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('get'), environment)
    .description('show the full text of memories')
    .argument('<names...>', 'hashes or ids of memories')
    .option('--json', 'print JSON')
    .action(async (names: readonly string[], options: Options) =>
      exit(
        await withMemory(options.dataDir, context, async (memory) => {
          const answer = await memory.getMany(names);
          if (options.json === true) output.out(`${JSON.stringify(answer)}\n`);
          else {
            writeRecalled(output, answer.data.map(memoryText).join('\n'));
            for (const name of answer.missing) output.err(`Memory ${name} not found.\n`);
          }
          return answer.missing.length === 0 ? 0 : 1;
        }),
      ),
    );
}
