import { processEnvironment } from '../../../config/process-environment.ts';
import { startEngines } from '../../setup/start-engines.ts';
import { silentProgress } from '../../../infra/supervisor/progress.ts';

// Runs the engines in a process that a test can kill. Arguments: data directory, cache directory.
const [dataDir = '', cacheDir = ''] = process.argv.slice(2);
const { signal } = new AbortController();
await startEngines({
  dataDir,
  cacheDir,
  environment: processEnvironment(),
  progress: silentProgress,
  signal,
  ports: 'saved',
});
process.stdout.write('ready');
