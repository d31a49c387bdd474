import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../instance/atomic-file.ts';
import { temporalAddress } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import type { ServiceDefinition } from '../../supervisor/definitions.ts';
import { temporalConfig, temporalDynamicConfig } from './config-file.ts';
import { checkTemporal } from './readiness.ts';

/** Behind the api and PostgreSQL, before the worker. */
const BACKGROUND_NICENESS = 10;

/** The real Temporal server, all four services in one process, on the instance's PostgreSQL. */
export function temporalService(
  instance: Instance,
  server: string,
  environment: Readonly<Record<string, string>>,
): ServiceDefinition {
  const folder = instance.layout.temporal;
  const configFile = path.join(folder, 'config.yaml');
  const dynamicConfigFile = path.join(folder, 'dynamic-config.yaml');
  return {
    kind: 'service',
    name: 'temporal',
    after: ['postgres', 'temporal-schema'],
    prepare: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileAtomic(configFile, temporalConfig(instance, dynamicConfigFile), 0o600);
      writeFileAtomic(dynamicConfigFile, temporalDynamicConfig(), 0o600);
      return Promise.resolve({
        file: server,
        args: ['--config-file', configFile, '--allow-no-auth', 'start'],
        // Collects sooner than by default: at rest it holds less. No GOMEMLIMIT: with more namespaces and workflows in its caches than fit
        // below one it would do little else than collect (seen: nearly a whole core, all the time).
        // It would ask its vendor for newer versions, with figures of its use.
        environment: { ...environment, GOGC: '50', TEMPORAL_VERSION_CHECK_DISABLED: '1' },
        workingDirectory: folder,
        // Nobody who captures or asks waits for a workflow.
        niceness: BACKGROUND_NICENESS,
      });
    },
    ports: [
      instance.ports.temporalFrontend,
      instance.ports.temporalHistory,
      instance.ports.temporalMatching,
      instance.ports.temporalWorker,
      instance.ports.temporalMetrics,
      instance.ports.temporalFrontendMembership,
      instance.ports.temporalHistoryMembership,
      instance.ports.temporalMatchingMembership,
      instance.ports.temporalWorkerMembership,
    ],
    readiness: { kind: 'probe', check: () => checkTemporal(temporalAddress(instance)) },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    // Frontend and history stop in this time. Its own internal workers would go on polling them for 15 s and more; they
    // are ended then, which loses nothing: all that Temporal acknowledged is in PostgreSQL.
    stopGraceMs: 4000,
    emergencySignal: 'SIGKILL',
  };
}
