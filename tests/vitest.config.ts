import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { processEnvironment } from '../config/process-environment.ts';
import { cacheDirectory, compileCacheIn } from '../infra/instance/layout.ts';
import { JourneysLast } from './setup/journeys-last.ts';

/** Folders of `tests/` whose files need no engine, except `*.integration.test.ts`. Slow files have that suffix, too. */
const UNIT =
  'tests/{api/{intake,schemas,stream},architecture,config,contract,docs,domain,infra/instance,load,mcp,models,observability,plugin,retrieval,stores/{archive,claude-mem,files,weaviate},telemetry,viewer}/**/!(*.integration).test.ts';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    // Threads of workers and child processes compile the same modules hundreds of times.
    env: { NODE_COMPILE_CACHE: compileCacheIn(cacheDirectory(processEnvironment())) },
    // Short-lived objects of two dozen instances at a time: fewer collections of garbage.
    execArgv: ['--max-semi-space-size=64'],
    // For two cores: files wait for timers, retries and engines a part of their time. Further ones would exceed PostgreSQL's connections.
    maxWorkers: 3,
    // Files share imported modules: importing them for each file took a fifth of the suite's time. No test replaces or changes a module.
    isolate: false,
    // Limits for hanging tests, not for slow ones: on a busy machine a test may take many times as long.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Ends the suite's engines: what is left of them would take the processors of what runs next.
    teardownTimeout: 240_000,
    sequence: { sequencer: JourneysLast },
    expect: { poll: { timeout: 120_000, interval: 100 } },
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'unit', include: [UNIT] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/**/*.test.ts'],
          exclude: [UNIT],
          globalSetup: ['tests/setup/global.ts'],
        },
      },
    ],
  },
});
