import type { Config } from '../../config/config.ts';
import { failureReason } from '../../domain/failure-reason.ts';
import { CodedError } from '../coded-error.ts';
import { bootstrapDatabase, migrate } from './database.ts';
import { bootstrapIdentity } from './identity.ts';
import { scheduleTimesOf } from './schedules.ts';
import { bootstrapTemporal } from './temporal.ts';

/** A step of a migration that failed, with its reason and what to do. */
export class MigrationError extends CodedError<'settings' | 'step-failed'> {
  override readonly name = 'MigrationError';
}

export interface ServerMigration {
  readonly config: Config;
  /** File that receives the address, the admin's password and the first keys; readable by its owner only. */
  readonly credentialsPath: string;
  /** Address of the api in this file. */
  readonly url: string;
  readonly progress: (step: string, text: string) => void;
}

/** Returns the password of a role in its address. @throws MigrationError `settings` */
function passwordIn(setting: string, url: string | undefined, role: string): string {
  const { username, password } = new URL(url ?? 'none:');
  if (url === undefined || username !== role || password === '')
    throw new MigrationError(
      'settings',
      `${setting}: must name the role ${role} with its password, which RECOLLECT_ADMIN_DATABASE_URL sets.`,
    );
  return decodeURIComponent(password);
}

/** Creates the roles and the database if an admin is named; migrates the database. Returns what was done. */
async function migrateDatabase({ database }: Config): Promise<string> {
  const { url, maintenanceUrl, restoreUrl, ownerUrl, adminUrl } = database;
  if (ownerUrl === undefined)
    throw new MigrationError(
      'settings',
      'RECOLLECT_OWNER_DATABASE_URL: is required, and names the role recollect_owner.',
    );
  if (adminUrl === undefined) {
    const applied = await migrate({ connectionString: ownerUrl });
    return applied === 0 ? 'schema is current' : `${applied} migrations applied`;
  }
  let done = '';
  await bootstrapDatabase({
    superuserUrl: adminUrl,
    ownerUrl,
    databaseName: decodeURIComponent(new URL(url).pathname.slice(1)),
    passwords: {
      owner: passwordIn('RECOLLECT_OWNER_DATABASE_URL', ownerUrl, 'recollect_owner'),
      app: passwordIn('RECOLLECT_DATABASE_URL', url, 'recollect_app'),
      maintenance: passwordIn('RECOLLECT_MAINTENANCE_DATABASE_URL', maintenanceUrl, 'recollect_maintenance'),
      restore: passwordIn('RECOLLECT_RESTORE_DATABASE_URL', restoreUrl, 'recollect_restore'),
    },
    progress: (line) => (done = line),
  });
  return `roles and database exist; ${done}`;
}

/**
 * Creates or updates what the api and the workers need on external engines: roles and database (with an admin), schema, namespace, search
 * attributes, schedules, and the first admin with keys. Idempotent. @throws MigrationError
 */
export async function migrateServer({ config, credentialsPath, url, progress }: ServerMigration): Promise<void> {
  const steps: readonly (readonly [name: string, run: () => Promise<string>])[] = [
    ['PostgreSQL', () => migrateDatabase(config)],
    [
      'Temporal',
      async () => {
        await bootstrapTemporal({
          ...config.temporal,
          schedules: scheduleTimesOf(config),
        });
        return `namespace ${config.temporal.namespace}, search attributes and schedules exist`;
      },
    ],
    [
      'credentials',
      async () => {
        const { maintenanceUrl } = config.database;
        if (maintenanceUrl === undefined) return 'RECOLLECT_MAINTENANCE_DATABASE_URL is not set: no admin was created';
        const isUsable = await bootstrapIdentity({ maintenanceDatabaseUrl: maintenanceUrl, credentialsPath, url });
        return isUsable
          ? credentialsPath
          : `the user of ${credentialsPath} was erased: delete the file to get a new admin`;
      },
    ],
  ];
  for (const [name, run] of steps) {
    try {
      progress(name, await run());
    } catch (error) {
      if (error instanceof MigrationError) throw error;
      const message = `${name}: ${failureReason(error)}. Run recollect doctor --server to see what is missing.`;
      throw new MigrationError('step-failed', message, { cause: error });
    }
  }
}
