import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processEnvironment } from '../../config/process-environment.ts';
import { writeBundle } from '../../workers/bundle.ts';
import { writeHookClient } from './hook-client.ts';
import { writeTypedClient } from './typed-client.ts';
import { writeViewer } from './viewer.ts';

// Generates files that are not in git: hook client, typed client, Prisma client, workflow bundle, viewer and the types of its requests.
writeHookClient();
await writeTypedClient();
const root = fileURLToPath(new URL('../..', import.meta.url));
const generated = spawnSync(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
  cwd: root,
  encoding: 'utf8',
  // Prevents the download of a native engine, which generating does not need.
  env: {
    ...processEnvironment(),
    PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  },
});
if (generated.status !== 0) {
  process.stderr.write(`prisma generate failed\n${generated.stdout}\n${generated.stderr}\n`);
  process.exit(1);
}
await writeBundle();
await writeViewer();
// The routes import the Prisma client.
const { writeViewerContract } = await import('./viewer-contract.ts');
await writeViewerContract();
