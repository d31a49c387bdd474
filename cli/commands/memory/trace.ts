import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { matchesText, nothingText, traceText } from '../../text/trace-text.ts';
import { withServer, withMemory } from '../../with-server.ts';
import { memoryText, writeRecalled } from '../../text/memory-text.ts';

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

interface TraceOptions {
  readonly dataDir: string;
  readonly session?: string;
  readonly json?: boolean;
}

export function addTrace(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('trace'), environment)
    .description('trace an event from capture to vectors')
    .argument('<key>', 'tool use id, delivery id, event key, or hash or id of a row')
    .option('--session <id>', 'session of the event: id or host:id')
    .option('--json', 'print JSON')
    .action(async (key: string, options: TraceOptions) =>
      exit(
        await withServer(options.dataDir, context, async (steering) => {
          const found = await steering.trace(key, options.session);
          const [first] = found.data;
          if (options.json === true) output.out(`${JSON.stringify(found)}\n`);
          else if (first === undefined) output.err(nothingText(found));
          else output.out(found.data.length === 1 ? traceText(first) : matchesText(found.data));
          return first === undefined ? 1 : 0;
        }),
      ),
    );
}
