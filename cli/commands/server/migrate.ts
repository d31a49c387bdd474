import path from 'node:path';
import type { Command } from 'commander';
import { ConfigError, parseMigrationConfig } from '../../../config/config.ts';
import { trustAuthorities } from '../../../config/engine-settings.ts';
import type { Cli } from '../../cli.ts';
import { serverEnvironment } from './run.ts';

interface MigrateOptions {
  readonly dataDir: string;
  readonly credentials?: string;
}

export function addMigrate(program: Command, cli: Cli): void {
  cli
    .command(
      program,
      'migrate',
      'create or update roles, schema, namespace and schedules on the engines of the settings',
    )
    .option('--credentials <file>', 'file for the first keys (default: credentials.json in the data directory)')
    .action(async ({ dataDir, credentials }: MigrateOptions) => {
      const { migrateServer, MigrationError } = await import('../../../infra/bootstrap/server.ts');
      try {
        const config = parseMigrationConfig(serverEnvironment(cli.environment, dataDir));
        trustAuthorities(config);
        const { host, port } = config.http;
        await migrateServer({
          config,
          credentialsPath: path.resolve(credentials ?? path.join(dataDir, 'credentials.json')),
          url: cli.environment['RECOLLECT_PUBLIC_URL']?.replace(/\/+$/, '') || `http://${host}:${port}`,
          progress: (step, text) => cli.output.out(`${step}: ${text}\n`),
        });
        cli.exit(0);
      } catch (error) {
        if (!(error instanceof ConfigError || error instanceof MigrationError)) throw error;
        cli.output.err(`${error.message}\n`);
        cli.exit(1);
      }
    });
}
