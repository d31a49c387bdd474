import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { processEnvironment } from '../../config/process-environment.ts';
import { startEngines } from '../setup/start-engines.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import { silentProgress } from '../../infra/supervisor/progress.ts';
import { BACKUP_SCENARIOS } from './backup-scenarios.ts';
import { CHECK_SCENARIOS } from './consistency-scenarios.ts';
import { ERASURE_SCENARIOS } from './erasure-scenarios.ts';
import { RESTORE_SCENARIOS } from './restore-scenarios.ts';
import { HISTORIES, writeHistory } from './history-file.ts';
import { MODEL_BATCH_SCENARIOS } from './model-batch-scenarios.ts';
import { OTHER_SCENARIOS } from './other-scenarios.ts';
import { startScriptedWorkers } from './scripted-workers.ts';
import { REINDEX_SCENARIOS } from './reindex-scenarios.ts';
import { SESSION_SCENARIOS } from './session-scenarios.ts';
import { historyFile } from './shapes.ts';
import { RETENTION_SCENARIOS } from './retention-scenarios.ts';
import { IMPORT_SCENARIOS } from './import-scenarios.ts';

// Records the histories that are missing. One that exists is never written again: when replaying it fails, the workflow needs a patch.
mkdirSync(HISTORIES, { recursive: true });
const missing = [
  ...SESSION_SCENARIOS,
  ...OTHER_SCENARIOS,
  ...REINDEX_SCENARIOS,
  ...MODEL_BATCH_SCENARIOS,
  ...IMPORT_SCENARIOS,
  ...BACKUP_SCENARIOS,
  ...CHECK_SCENARIOS,
  ...RETENTION_SCENARIOS,
  ...ERASURE_SCENARIOS,
  ...RESTORE_SCENARIOS,
].filter((scenario) => !existsSync(path.join(HISTORIES, historyFile(scenario.workflow, scenario.shape))));
if (missing.length > 0) {
  const environment = processEnvironment();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-record-'));
  chmodSync(dataDir, 0o755);
  const engines = await startEngines({
    dataDir,
    cacheDir: cacheDirectory(environment),
    environment,
    progress: silentProgress,
    signal: new AbortController().signal,
  });
  try {
    for (const scenario of missing) {
      const workers = await startScriptedWorkers(
        engines.temporal.address,
        `record-${randomUUID()}`,
        scenario.activities(),
      );
      const handle = await scenario.run(workers.client);
      const history = await handle.fetchHistory();
      writeHistory(historyFile(scenario.workflow, scenario.shape), history);
      process.stdout.write(`${scenario.workflow} ${scenario.shape}: ${history.events?.length ?? 0} events\n`);
      await workers.stop();
    }
  } finally {
    await engines.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
