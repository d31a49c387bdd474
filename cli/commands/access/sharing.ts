import { Argument } from 'commander';
import type { Command } from 'commander';
import { settingSchema, sharingSchema } from '../../../contract/projects.ts';
import { dataOf } from '../../../contract/shared.ts';
import { VISIBILITIES, VISIBILITY_SETTING } from '../../../domain/learning/visibility.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import type { Cli } from '../../cli.ts';

const TEXT = {
  shared: 'New learnings are shared: all users of the tenant read them.\n',
  private: 'New learnings are private: their owners and admins read them.\n',
} as const;

/** Adds `sharing` with its subcommands, for admins. */
export function addSharing(program: Command, cli: Cli): void {
  const command = cli.command(program, 'sharing', 'show and set who reads new learnings; for admins');

  cli
    .command(command, 'show', 'show who reads new learnings')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: boolean }) => {
        const { data } = await server.get('/admin/settings', dataOf(settingSchema));
        const setting = data.find((each) => each.key === VISIBILITY_SETTING);
        if (setting !== undefined) cli.print(json, setting, TEXT[setting.value]);
      }),
    );
  cli
    .command(command, 'set', 'share new learnings with the tenant, or with their owners only')
    .addArgument(new Argument('<visibility>', 'who reads them').choices(VISIBILITIES))
    .action(
      cli.onServer(async (server, value: Visibility) => {
        const body = { value };
        const set = await server.request('PUT', `/admin/settings/${VISIBILITY_SETTING}`, sharingSchema, { body });
        cli.output.out(TEXT[set.value]);
      }),
    );
}
