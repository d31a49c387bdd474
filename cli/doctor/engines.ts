import path from 'node:path';
import { EngineError } from '../../infra/engines/engine-error.ts';
import type { Engine } from '../../infra/engines/pinned.ts';
import { findOnPath } from '../../infra/engines/program-files.ts';
import { lookUpEngine } from '../../infra/engines/resolve.ts';
import type { ResolveOptions } from '../../infra/engines/resolve.ts';
import type { Environment } from '../../config/process-environment.ts';
import { findPostgresBinaries, foldersOf } from '../../infra/engines/postgres/binaries.ts';
import type { PostgresBinaries } from '../../infra/engines/postgres/binaries.ts';
import { tryPostgres } from '../../infra/engines/postgres/try-postgres.ts';
import { withLibraries } from '../../infra/engines/postgres/libraries.ts';
import { chooseRunAs, isUserMissing } from '../../infra/engines/postgres/run-as.ts';
import type { RunAs } from '../../infra/engines/postgres/run-as.ts';
import { SupervisorError } from '../../infra/supervisor/definitions.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { finding } from './machine.ts';
import type { Finding } from './machine.ts';
import { InstanceError } from '../../infra/instance/instance-error.ts';

/** Returns the source of an engine. Downloads and builds nothing. */
export async function checkEngine(
  engine: Engine,
  options: Pick<ResolveOptions, 'cacheDir' | 'environment'>,
): Promise<Finding> {
  const what = `engine ${engine.name}`;
  try {
    const { found } = await lookUpEngine(engine, options);
    if (found.size === engine.programs.length) {
      return finding(
        'ok',
        what,
        `${engine.version}: ${[...found.values()].map((program) => `${program.source} ${program.file}`).join(', ')}`,
      );
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return finding('fail', what, error.message);
  }
  const go = findOnPath(['go'], options.environment);
  const missing = `${engine.version} is not installed`;
  if (go !== null)
    return finding('warn', what, `${missing}; the first start downloads it or builds it with ${go} (some minutes)`);
  return finding(
    'warn',
    what,
    `${missing}; the first start downloads it`,
    'Without network, install Go, or run recollect up: it prints the required file and its folder.',
  );
}

/** Checks that the PostgreSQL of npm exists, can run without root, and starts on a new database in a temporary folder. */
export async function checkPostgres(
  layout: InstanceLayout,
  environment: Environment,
  find: () => Promise<PostgresBinaries> = findPostgresBinaries,
): Promise<Finding> {
  const what = 'engine postgres';
  try {
    const binaries = withLibraries(await find(), cacheDirectory(environment));
    const runAs = chooseRunAs([...foldersOf(binaries), path.dirname(layout.dataDir)], {
      mayCreateUser: false,
    });
    const found = `npm package ${binaries.postgres}${describeRunAs(runAs)}`;
    if (isUserMissing(runAs)) return finding('ok', what, `${found}, a user that the first start creates; not tested`);
    await tryPostgres(binaries, environment);
    return finding('ok', what, `${found}; starts and accepts connections`);
  } catch (error) {
    if (!(error instanceof EngineError || error instanceof SupervisorError || error instanceof InstanceError))
      throw error;
    return finding('fail', what, error.message);
  }
}

function describeRunAs(runAs: RunAs): string {
  if (runAs.kind === 'self') return '';
  return runAs.kind === 'namespace'
    ? ', in a user namespace because you are root'
    : `, as the user postgres because you are root`;
}
