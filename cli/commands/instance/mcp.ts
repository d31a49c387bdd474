import type { Command } from 'commander';
import { RecollectClient } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { projectHere } from '../../project-here.ts';
import { agentAccess } from '../../server/access.ts';

/** An agent waits: it is better told soon that memory is away. */
const TIMEOUT_MS = 15_000;
const RETRIES = 1;
/** Where nothing listens, when there is no instance yet: every tool then says that it does not run. */
const NOWHERE = { url: 'http://127.0.0.1:9', apiKey: '' };

export function addMcp(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('mcp'), environment)
    .description(
      'serve the tools of memory to an agent over stdin and stdout (docs/mcp.md); agents start it themselves',
    )
    .option('--write', 'also the tools that remember and forget, with a key that may do that')
    .action(async ({ dataDir, write: mayWrite = false }: { readonly dataDir: string; readonly write?: boolean }) => {
      // Other commands need not wait for what this one needs.
      const { serveMcpOnStdio } = await import('../../../mcp/stdio.ts');
      const { known, repository } = await projectHere(dataDir);
      await serveMcpOnStdio(
        {
          // Asked anew at each call: the instance may be started, or move to another port, while the agent runs.
          api: () =>
            new RecollectClient({
              ...(agentAccess(dataDir, environment, mayWrite) ?? NOWHERE),
              timeoutMs: TIMEOUT_MS,
              retries: RETRIES,
            }),
          mayWrite,
          projectHere: { recalled: known, remembered: repository },
        },
        (error) => output.err(`mcp: ${error.message}\n`),
      );
      exit(0);
    });
}
