import type { Instance } from '../../instance/instance.ts';

export const TEMPORAL_DATABASE = 'temporal';
export const TEMPORAL_VISIBILITY_DATABASE = 'temporal_visibility';
export const TEMPORAL_ROLE = 'temporal';

const HOST = '127.0.0.1';
/** Cannot be changed once the database has it. Four serve one machine well and keep caches and pollers few. */
const HISTORY_SHARDS = 4;
/** Each of the four services has its own pools: 4 × (10 + 2) connections at most, of PostgreSQL's 120. */
const STORE_CONNECTIONS = 10;
const STORE_IDLE_CONNECTIONS = 4;
const VISIBILITY_CONNECTIONS = 2;

function service(grpcPort: number, membershipPort: number): object {
  return { rpc: { grpcPort, membershipPort, bindOnLocalHost: true } };
}

/** The server's configuration. JSON, which is YAML too, so that no value needs quoting rules. Holds a password. */
export function temporalConfig(instance: Instance, dynamicConfigFile: string): string {
  const { ports, secrets } = instance;
  const store = (databaseName: string, maxConns: number, maxIdleConns: number): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${HOST}:${ports.postgres}`,
      connectProtocol: 'tcp',
      user: TEMPORAL_ROLE,
      password: secrets.postgresTemporal,
      maxConns,
      maxIdleConns,
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
        default: store(TEMPORAL_DATABASE, STORE_CONNECTIONS, STORE_IDLE_CONNECTIONS),
        visibility: store(TEMPORAL_VISIBILITY_DATABASE, VISIBILITY_CONNECTIONS, VISIBILITY_CONNECTIONS),
      },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: HOST },
      metrics: {
        prometheus: { framework: 'tally', timerType: 'histogram', listenAddress: `${HOST}:${ports.temporalMetrics}` },
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

/** Settings that the server reads while it runs. */
export function temporalDynamicConfig(): string {
  const settings: Record<string, unknown> = {
    // A namespace and a search attribute are usable at once after they were made.
    'system.namespaceCacheRefreshInterval': '200ms',
    'system.forceSearchAttributesCacheRefreshOnRead': true,
    // One tenant's backlog must not starve the others: tasks carry a fairness key.
    'matching.useNewMatcher': true,
    // Lists of jobs: ten a second, the default, is what two people who look at them ask for.
    'frontend.namespaceRPS.visibility': 200,
    'matching.enableFairness': true,
    // One partition a queue: several only help a cluster, and each has its own pollers and memory.
    'matching.numTaskqueueReadPartitions': 1,
    'matching.numTaskqueueWritePartitions': 1,
    // Asks the vendor for newer versions otherwise.
    'frontend.enableServerVersionCheck': false,
    // Bounded caches: the defaults are for machines that do nothing else.
    'history.hostLevelCacheMaxSize': 2000,
    'history.eventsHostLevelCacheMaxSizeBytes': 8 * 1024 * 1024,
  };
  const entries = Object.entries(settings).map(([name, value]) => [name, [{ value }]]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
