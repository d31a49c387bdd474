import type { Command } from 'commander';
import { traceAnswer } from '../../../contract/trace.ts';
import type { Cli } from '../../cli.ts';
import { missingText } from '../../text/failure-text.ts';
import { memoryText } from '../../text/memory-text.ts';
import { matchesText, nothingText, traceText } from '../../text/trace-text.ts';

export function addGet(program: Command, cli: Cli): void {
  cli
    .command(program, 'get', 'show the full text of memories')
    .argument('<names...>', 'hashes or ids of memories')
    .option('--json', 'print JSON')
    .action(
      cli.onMemory(async (memory, names: readonly string[], { json }: { readonly json?: true }) => {
        const answer = await memory.getMany(names);
        cli.printRecalled(json, answer, answer.data.map(memoryText).join('\n'));
        if (json !== true) for (const name of answer.missing) cli.output.err(missingText('memory', name));
        return answer.missing.length === 0 ? 0 : 1;
      }),
    );
}

interface TraceOptions {
  readonly session?: string;
  readonly json?: boolean;
}

export function addTrace(program: Command, cli: Cli): void {
  const { output } = cli;
  cli
    .command(program, 'trace', 'trace an event from capture to vectors')
    .argument('<key>', 'tool use id, delivery id, event key, or hash or id of a row')
    .option('--session <id>', 'session of the event: id or host:id')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, key: string, { session, json }: TraceOptions) => {
        const found = await server.get('/trace', traceAnswer, { key, session });
        const [first] = found.data;
        if (first === undefined && json !== true) output.err(nothingText(key, found));
        else
          cli.print(
            json,
            found,
            first !== undefined && found.data.length === 1 ? traceText(first) : matchesText(found.data),
          );
        return first === undefined ? 1 : 0;
      }),
    );
}
