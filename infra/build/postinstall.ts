import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processEnvironment } from '../../config/process-environment.ts';
import { writeBundle } from '../../workers/bundle.ts';
import { writeHookClient } from './hook-client.ts';
import { writeTypedClient } from './typed-client.ts';

// What is made from the sources and not kept in git: the hook client, the typed client, the Prisma client and the workflow bundle.
writeHookClient();
writeTypedClient();
const root = fileURLToPath(new URL('../..', import.meta.url));
const generated = spawnSync(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
  cwd: root,
  encoding: 'utf8',
  // The CLI would download a native engine that generating does not need.
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
