import type { Command } from 'commander';
import { RecollectClient } from '../../../client/index.ts';
import type { Cli } from '../../cli.ts';
import { projectHere } from '../../project-here.ts';
import { agentAccess } from '../../server/access.ts';

/** Short: the agent waits for the result. */
const TIMEOUT_MS = 15_000;
const RETRIES = 1;
/** Address without a listener, used without an instance: every tool then fails with "unreachable". */
const NO_INSTANCE = { url: 'http://127.0.0.1:9', apiKey: '' };

export function addMcp(program: Command, cli: Cli): void {
  const { output, environment } = cli;
  cli
    .command(program, 'mcp', 'serve the MCP tools over stdin and stdout (docs/mcp.md); agents start this command')
    .option('--write', 'include the tools that store and forget memories')
    .action(async ({ dataDir, write: mayWrite = false }: { readonly dataDir: string; readonly write?: boolean }) => {
      // Loaded here: other commands do not need it.
      const { serveMcpOnStdio } = await import('../../../mcp/stdio.ts');
      const { known, repository } = await projectHere(dataDir);
      await serveMcpOnStdio(
        {
          // Read at each call: the instance may start or change its port while the agent runs.
          api: () =>
            new RecollectClient({
              ...(agentAccess(dataDir, environment, mayWrite) ?? NO_INSTANCE),
              timeoutMs: TIMEOUT_MS,
              retries: RETRIES,
            }),
          mayWrite,
          projectHere: { recalled: known, remembered: repository },
        },
        (error) => output.err(`mcp: ${error.message}\n`),
      );
      cli.exit(0);
    });
}
