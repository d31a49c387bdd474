import type { Command } from 'commander';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { rotateSealing } from '../../../infra/instance/secrets.ts';
import type { Cli } from '../../cli.ts';

/** Adds `secrets` with its subcommand. */
export function addSecrets(program: Command, cli: Cli): void {
  const command = cli.command(program, 'secrets', 'rotate the key that seals secrets in the database');
  cli
    .command(command, 'rotate', 'add a key to the secrets of the data directory; the next start seals with it')
    .action((options: { readonly dataDir: string }) => {
      const kid = rotateSealing(instanceLayout(options.dataDir).secretsFile);
      cli.output.out(`Added the key ${kid}. Restart the instance: it then seals all secrets with this key.\n`);
    });
}
