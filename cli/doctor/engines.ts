import path from 'node:path';
import { EngineError } from '../../infra/engines/engine-error.ts';
import type { Engine } from '../../infra/engines/pinned.ts';
import { findOnPath } from '../../infra/engines/program-files.ts';
import { lookUpEngine, type ResolveOptions } from '../../infra/engines/resolve.ts';
import { findPostgresBinaries } from '../../infra/engines/postgres/binaries.ts';
import { chooseRunAs, type RunAs } from '../../infra/engines/postgres/run-as.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import type { Finding } from './finding.ts';

/** Where an engine would come from. Downloads and builds nothing. */
export async function checkEngine(
  engine: Engine,
  options: Pick<ResolveOptions, 'cacheDir' | 'environment'>,
): Promise<Finding> {
  const what = `engine ${engine.name}`;
  try {
    const { found } = await lookUpEngine(engine, options);
    if (found.size === engine.programs.length) {
      return {
        result: 'ok',
        what,
        text: `${engine.version}: ${[...found.values()].map((program) => `${program.source} ${program.file}`).join(', ')}`,
      };
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { result: 'fail', what, text: error.message };
  }
  const go = findOnPath(['go'], options.environment);
  const missing = `${engine.version} is not on this machine`;
  if (go !== null)
    return {
      result: 'warn',
      what,
      text: `${missing}; the first start downloads it, or builds it with ${go} (some minutes)`,
    };
  return {
    result: 'warn',
    what,
    text: `${missing}; the first start has to download it`,
    advice: 'Without network, install Go, or run recollect up: it says which file to put where.',
  };
}

/** Whether the PostgreSQL of npm is there and may run as somebody who is not root. */
export async function checkPostgres(layout: InstanceLayout): Promise<Finding> {
  const what = 'engine postgres';
  try {
    const binaries = await findPostgresBinaries();
    const runAs = chooseRunAs([path.dirname(binaries.postgres), path.dirname(layout.dataDir)], {
      mayCreateUser: false,
    });
    return { result: 'ok', what, text: `npm package ${binaries.postgres}${describeRunAs(runAs)}` };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { result: 'fail', what, text: error.message };
  }
}

function describeRunAs(runAs: RunAs): string {
  if (runAs.kind === 'self') return '';
  return runAs.kind === 'namespace'
    ? ', in a user namespace because you are root'
    : `, as the user postgres because you are root`;
}
