import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../../config/process-environment.ts';
import { engineEnvironment } from '../../instance/environment.ts';
import { silentProgress } from '../../supervisor/progress.ts';
import { runInstance } from '../../supervisor/run-instance.ts';
import type { PostgresBinaries } from './binaries.ts';
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
