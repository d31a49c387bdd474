import path from 'node:path';
import type { Command } from 'commander';
import { IS_PACKAGE } from '../../../config/module-files.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { openOffer } from '../access/open.ts';
import { readCredentials } from '../../server/access.ts';
import { ServerClient } from '../../server/server-client.ts';
import { demonstrate, scratchDataDirectory } from '../../demo/demo.ts';
import { heading } from '../../text/text-layout.ts';
import { listenForInterrupts } from '../../waiting.ts';
import { terminalProgress } from '../../text/terminal-progress.ts';
import { isExpected } from './up.ts';

export interface DemoOptions {
  readonly dataDir?: string;
  readonly keepRunning?: boolean;
}

export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('start a scratch instance, replay a recorded session and show its memories')
    .option('--data-dir <folder>', 'use this folder instead of a scratch one', (folder) => path.resolve(folder))
    .option('--keep-running', 'keep the instance running until Ctrl-C')
    .action(async (options: DemoOptions) => cli.exit(await demo(options, cli)));
}

const COMMANDS = IS_PACKAGE
  ? { up: 'recollect up', demo: 'recollect demo', other: 'recollect' }
  : { up: 'npm start --', demo: 'npm run demo --', other: 'npm run recollect --' };

function whatNext(url: string, dataDir: string): string {
  const { up, demo, other } = COMMANDS;
  return [
    heading('Next steps'),
    `  address         ${url}   (API description at ${url}/docs)`,
    `  data directory  ${dataDir}`,
    `  run it again    ${up} --data-dir ${dataDir}`,
    `  new instance    ${up.replace(/ --$/, '')}   (data in ~/.recollect)`,
    `  in a browser    ${demo} --keep-running`,
    `  install hooks   ${other} install claude-code   writes to ~/.claude/settings.json`,
    '',
  ].join('\n');
}

/** Runs the demo; resolves once every started process has stopped. */
export async function demo(options: DemoOptions, context: CommandContext): Promise<ExitCode> {
  const { output, environment } = context;
  const progress = terminalProgress(output, { verbose: false });
  const interrupts = listenForInterrupts(() => process.exit(130));
  const dataDir = options.dataDir ?? scratchDataDirectory();
  output.out(`Recollect demo, data in ${dataDir}\n`);
  const started = performance.now();
  try {
    // Loaded by this command alone: the clients of the engines are half of all modules.
    const { startInstance } = await import('../../../infra/supervisor/start-instance.ts');
    const instance = await startInstance({
      dataDir,
      // Few requests: with a collector, all are traced.
      environment: { RECOLLECT_TRACE_SHARE: '1', ...environment },
      progress,
      signal: interrupts.signal,
      // A scratch instance does not use the default ports.
      ports: options.dataDir === undefined ? 'free' : 'saved',
    });
    try {
      await demonstrate(instance.credentialsPath, progress, interrupts.signal, output.out);
      output.out(whatNext(instance.url, dataDir));
      output.out(`  The demo took ${((performance.now() - started) / 1_000).toFixed(0)} s.\n`);
      if (options.keepRunning === true) {
        output.out(`  ${await openOffer(new ServerClient(readCredentials(instance.credentialsPath)), output)}`);
        output.out('  Press Ctrl-C to stop.\n');
        await interrupts.requested;
      }
    } finally {
      progress.clear();
      await instance.stop();
    }
    return 0;
  } catch (error) {
    progress.clear();
    if (interrupts.signal.aborted) {
      output.out('Stopped.\n');
      return 130;
    }
    if (isExpected(error)) {
      output.err(`${error.message}\n`);
      return 1;
    }
    throw error;
  } finally {
    interrupts.dispose();
  }
}
