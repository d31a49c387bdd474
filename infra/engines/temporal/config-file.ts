import type { Instance } from '../../instance/instance.ts';

export const TEMPORAL_DATABASE = 'temporal';
export const TEMPORAL_VISIBILITY_DATABASE = 'temporal_visibility';
export const TEMPORAL_ROLE = 'temporal';

const HOST = '127.0.0.1';
/** Fixed once the database exists. Four suffice for one machine and limit caches and pollers. */
const HISTORY_SHARDS = 4;
/**
 * Each of the four services has its own pools: 4 × (10 + 2) connections at most, of PostgreSQL's 120. All may stay idle: with fewer, each burst
 * opened and closed dozens of connections a second.
 */
const STORE_CONNECTIONS = 10;
const VISIBILITY_CONNECTIONS = 2;

function service(grpcPort: number, membershipPort: number): object {
  return { rpc: { grpcPort, membershipPort, bindOnLocalHost: true } };
}

/** Returns the server's configuration as JSON, which is valid YAML. Contains a password. */
export function temporalConfig(instance: Instance, dynamicConfigFile: string): string {
  const { ports, secrets } = instance;
  const store = (databaseName: string, connections: number): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${HOST}:${ports.postgres}`,
      connectProtocol: 'tcp',
      user: TEMPORAL_ROLE,
      password: secrets.postgresTemporal,
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  const config = {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: {
        default: store(TEMPORAL_DATABASE, STORE_CONNECTIONS),
        visibility: store(TEMPORAL_VISIBILITY_DATABASE, VISIBILITY_CONNECTIONS),
      },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: HOST },
      metrics: {
        // The other framework, tally, copies all metrics every second: two hundredths of a core at rest.
        prometheus: { framework: 'opentelemetry', listenAddress: `${HOST}:${ports.temporalMetrics}` },
      },
    },
    services: {
      frontend: service(ports.temporalFrontend, ports.temporalFrontendMembership),
      history: service(ports.temporalHistory, ports.temporalHistoryMembership),
      matching: service(ports.temporalMatching, ports.temporalMatchingMembership),
      worker: service(ports.temporalWorker, ports.temporalWorkerMembership),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `${HOST}:${ports.temporalFrontend}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '10s' },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Dynamic configuration, which the server reads again every ten seconds. `isSetUp`: its namespaces and search attributes exist. */
export function temporalDynamicConfig({ isSetUp }: { isSetUp: boolean }): string {
  const settings: Record<string, unknown> = {
    // New namespaces and search attributes are usable at once. Each of the four services reads all namespaces that often, and every start the attributes.
    'system.namespaceCacheRefreshInterval': isSetUp ? '10s' : '200ms',
    'system.forceSearchAttributesCacheRefreshOnRead': !isSetUp,
    // Tasks have a fairness key: one tenant's backlog must not starve the others.
    'matching.useNewMatcher': true,
    // Job lists: two users already reach the default of ten per second.
    'frontend.namespaceRPS.visibility': 200,
    'matching.enableFairness': true,
    // One partition per queue: several help only clusters and cost pollers and memory.
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
    // Disables the vendor's version check.
    'frontend.enableServerVersionCheck': false,
    // Bounded caches: the defaults are for dedicated machines.
    'history.hostLevelCacheMaxSize': 2000,
    'history.eventsHostLevelCacheMaxSizeBytes': 8 * 1024 * 1024,
  };
  const entries = Object.entries(settings).map(([name, value]) => [name, [{ value }]]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
