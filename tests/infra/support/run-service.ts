import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentProgress } from '../../../infra/supervisor/progress.ts';
import { runInstance } from '../../../infra/supervisor/run-instance.ts';
import { service, stage } from './services.ts';

// Runs one small service in a process that a test can kill. Arguments: data directory, folder of the service.
const [dataDir = '', folder = ''] = process.argv.slice(2);
const on = stage(folder);
const { supervisor } = await runInstance({
  dataDir,
  progress: silentProgress,
  signal: new AbortController().signal,
  preferPorts: 'free',
  prepare: () => Promise.resolve(null),
  nodes: () => [service(on, 'store')],
});
writeFileSync(path.join(folder, 'pid'), String(supervisor.service('store').pid));
process.stdout.write('ready');
