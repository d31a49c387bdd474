import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { weaviateUrl } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import type { ServiceDefinition } from '../../supervisor/definitions.ts';

const HOST = '127.0.0.1';
const USER = 'recollect';
const NODE_NAME = 'node1';

/** Weaviate as one node. The node's name is part of the data and must not change. */
export function weaviateService(
  instance: Instance,
  server: string,
  environment: Readonly<Record<string, string>>,
): ServiceDefinition {
  const folder = instance.layout.weaviate;
  const url = weaviateUrl(instance);
  return {
    kind: 'service',
    name: 'weaviate',
    // No dependencies.
    after: [],
    prepare: () => {
      mkdirSync(path.join(folder, 'data'), { recursive: true, mode: 0o700 });
      mkdirSync(path.join(folder, 'backups'), { recursive: true, mode: 0o700 });
      return Promise.resolve({
        file: server,
        args: ['--host', HOST, '--port', String(instance.ports.weaviateHttp), '--scheme', 'http'],
        environment: { ...environment, ...weaviateEnvironment(instance) },
        workingDirectory: folder,
      });
    },
    ports: [
      instance.ports.weaviateHttp,
      instance.ports.weaviateGrpc,
      instance.ports.weaviateGossip,
      instance.ports.weaviateData,
      instance.ports.weaviateRaft,
      instance.ports.weaviateRaftRpc,
    ],
    readiness: { kind: 'probe', check: (signal) => checkWeaviate(url, instance.secrets.weaviateApiKey, signal) },
    readyTimeoutMs: 120_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: 20_000,
    emergencySignal: 'SIGKILL',
  };
}

/**
 * Settings of the server. REST, gossip and Raft listen on loopback; gRPC and the cluster's data port have no setting for
 * their address and listen on all: the first requires the API key, the second the cluster's password.
 */
function weaviateEnvironment(instance: Instance): Record<string, string> {
  const { layout, ports, secrets } = instance;
  return {
    PERSISTENCE_DATA_PATH: path.join(layout.weaviate, 'data'),
    // Unflushed memtables slow keyword search; flushing earlier has no measured cost.
    PERSISTENCE_MEMTABLES_FLUSH_DIRTY_AFTER_SECONDS: '5',
    // A kill during synchronous indexing loses acknowledged vectors; the queue on disk resumes.
    ASYNC_INDEXING: 'true',
    ENABLE_MODULES: 'backup-filesystem',
    BACKUP_FILESYSTEM_PATH: path.join(layout.weaviate, 'backups'),
    DEFAULT_VECTORIZER_MODULE: 'none',
    ENABLE_API_BASED_MODULES: 'false',
    AUTOSCHEMA_ENABLED: 'false',
    AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: 'false',
    AUTHENTICATION_APIKEY_ENABLED: 'true',
    AUTHENTICATION_APIKEY_ALLOWED_KEYS: secrets.weaviateApiKey,
    AUTHENTICATION_APIKEY_USERS: USER,
    AUTHORIZATION_ADMINLIST_ENABLED: 'true',
    AUTHORIZATION_ADMINLIST_USERS: USER,
    GRPC_PORT: String(ports.weaviateGrpc),
    CLUSTER_HOSTNAME: NODE_NAME,
    // Without an address it looks for one on the network, and hangs if there is none.
    CLUSTER_ADVERTISE_ADDR: HOST,
    CLUSTER_BIND_ADDR: HOST,
    CLUSTER_GOSSIP_BIND_PORT: String(ports.weaviateGossip),
    CLUSTER_DATA_BIND_PORT: String(ports.weaviateData),
    CLUSTER_BASIC_AUTH_USERNAME: USER,
    CLUSTER_BASIC_AUTH_PASSWORD: secrets.weaviateCluster,
    RAFT_PORT: String(ports.weaviateRaft),
    RAFT_INTERNAL_RPC_PORT: String(ports.weaviateRaftRpc),
    RAFT_BOOTSTRAP_EXPECT: '1',
    RAFT_JOIN: NODE_NAME,
    // For slow networks between nodes; it only delays the start of one node.
    RAFT_TIMEOUTS_MULTIPLIER: '1',
    GO_PROFILING_DISABLE: 'true',
    DISABLE_TELEMETRY: 'true',
    LOG_LEVEL: 'warning',
    // Collects earlier. No GOMEMLIMIT: Weaviate fills it and rejects imports near it.
    GOGC: '60',
  };
}

/** Resolves once the server is ready and accepts the key. */
async function checkWeaviate(url: string, apiKey: string, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${apiKey}` };
  for (const route of ['/v1/.well-known/ready', '/v1/schema']) {
    const response = await fetch(`${url}${route}`, { headers, signal });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${route} answers ${response.status}`);
  }
}
