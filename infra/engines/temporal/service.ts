import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../instance/atomic-file.ts';
import { temporalAddress } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import type { ServiceDefinition } from '../../supervisor/definitions.ts';
import { temporalConfig, temporalDynamicConfig } from './config-file.ts';
import { checkTemporal } from './readiness.ts';

/** Priority below the api and PostgreSQL, above the worker. */
const BACKGROUND_NICENESS = 10;

/** Temporal server with all four services in one process, on the instance's PostgreSQL. */
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
        // Collects earlier to use less memory at rest. No GOMEMLIMIT: if its caches exceed the limit, the server
        // collects permanently (measured: nearly one core).
        // Disables the vendor's version check with usage figures.
        environment: { ...environment, GOGC: '50', TEMPORAL_VERSION_CHECK_DISABLED: '1' },
        workingDirectory: folder,
        // Capture and search do not wait for workflows.
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
    // Frontend and history stop in this time. The server's internal workers would continue to poll for 15 s and more;
    // killing them loses nothing: acknowledged data is in PostgreSQL.
    stopGraceMs: 4000,
    emergencySignal: 'SIGKILL',
  };
}
