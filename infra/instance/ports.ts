import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { isSystemError, readJsonFile } from './json-file.ts';
import { InstanceError } from './instance-error.ts';

/** Temporal stores membership ports as signed 16-bit numbers; larger ones crash the server. */
export const MAX_MEMBERSHIP_PORT = 32_767;

/**
 * Default ports. All but the api's, which is documented, are below the ephemeral ranges of Linux and macOS, in which an outgoing
 * connection could use the port.
 */
export const DEFAULT_PORTS = {
  api: 37_700,
  postgres: 27_710,
  temporalFrontend: 27_730,
  temporalHistory: 27_731,
  temporalMatching: 27_732,
  temporalWorker: 27_733,
  temporalMetrics: 27_734,
  workerMetrics: 27_735,
  temporalFrontendMembership: 27_720,
  temporalHistoryMembership: 27_721,
  temporalMatchingMembership: 27_722,
  temporalWorkerMembership: 27_723,
  weaviateHttp: 27_740,
  weaviateGrpc: 27_741,
  weaviateGossip: 27_742,
  weaviateData: 27_743,
  weaviateRaft: 27_744,
  weaviateRaftRpc: 27_745,
} as const;

export type PortName = keyof typeof DEFAULT_PORTS;
export type Ports = Readonly<Record<PortName, number>>;

export const PORT_NAMES: readonly PortName[] = [
  'api',
  'postgres',
  'temporalFrontend',
  'temporalHistory',
  'temporalMatching',
  'temporalWorker',
  'temporalMetrics',
  'workerMetrics',
  'temporalFrontendMembership',
  'temporalHistoryMembership',
  'temporalMatchingMembership',
  'temporalWorkerMembership',
  'weaviateHttp',
  'weaviateGrpc',
  'weaviateGossip',
  'weaviateData',
  'weaviateRaft',
  'weaviateRaftRpc',
];

/** Below the ephemeral ranges. */
const SUBSTITUTE_FROM = 20_000;
const SUBSTITUTE_TO = 32_000;

const portSchema = z.int().min(1).max(65_535);
const savedSchema = z.record(z.string(), portSchema);

/** Returns the saved ports of a data directory; a damaged file counts as empty. */
export function readSavedPorts(file: string): Partial<Record<PortName, number>> {
  const stored = readJsonFile(file, savedSchema);
  if (stored.kind !== 'value') return {};
  const saved: Partial<Record<PortName, number>> = {};
  for (const name of PORT_NAMES) {
    const port = stored.value[name];
    if (port !== undefined && !(name.endsWith('Membership') && port > MAX_MEMBERSHIP_PORT)) saved[name] = port;
  }
  return saved;
}

/** Returns true if a port is free for TCP on loopback and on all addresses, and for UDP (Weaviate's gossip). */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::')) && (await canReceive(port));
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once('error', (error) => settle(error, resolve, reject));
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

async function canReceive(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  socket.once('error', (error) => socket.close(() => settle(error, resolve, reject)));
  socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => socket.close(() => resolve(true)));
  return promise;
}

function settle(error: Error, resolve: (isFree: boolean) => void, reject: (error: Error) => void): void {
  if (isSystemError(error, 'EADDRINUSE') || isSystemError(error, 'EACCES')) resolve(false);
  // Without IPv6 the address does not exist.
  else if (isSystemError(error, 'EAFNOSUPPORT') || isSystemError(error, 'EADDRNOTAVAIL')) resolve(true);
  else reject(error);
}

/** Returns the first port that is in use; null if all are free. */
export async function firstTakenPort(ports: readonly number[]): Promise<number | null> {
  for (const port of ports) if (!(await isPortFree(port))) return port;
  return null;
}

export interface PortChoice {
  readonly file: string;
  /** Port that the user requested; never replaced. */
  readonly api?: number | undefined;
  /** `free` skips saved and default ports: for test runs beside a running instance. */
  readonly prefer: 'saved' | 'free';
}

/**
 * Chooses and saves distinct ports: the saved one if free, else the default, else another free one.
 * @throws InstanceError `port-taken` if the requested API port is in use, `no-free-port` if no port is free
 */
export async function choosePorts(choice: PortChoice): Promise<Ports> {
  const saved = choice.prefer === 'saved' ? readSavedPorts(choice.file) : {};
  const chosen: Record<PortName, number> = { ...DEFAULT_PORTS };
  const used = new Set<number>();
  const substitute = substitutePorts(used);
  for (const name of PORT_NAMES) {
    const port = (await preferredPort(name, choice, saved[name], used)) ?? (await substitute());
    used.add(port);
    chosen[name] = port;
  }
  writeFileAtomic(choice.file, `${JSON.stringify(chosen, null, 2)}\n`, 0o600);
  return chosen;
}

async function preferredPort(
  name: PortName,
  choice: PortChoice,
  saved: number | undefined,
  used: ReadonlySet<number>,
): Promise<number | undefined> {
  if (name === 'api' && choice.api !== undefined) {
    if (await isPortFree(choice.api)) return choice.api;
    throw new InstanceError(
      'port-taken',
      `Port ${choice.api} is in use by another program. Choose another with --port, or omit it.`,
    );
  }
  const preferred = choice.prefer === 'saved' ? [saved, DEFAULT_PORTS[name]] : [];
  for (const port of preferred) {
    if (port !== undefined && !used.has(port) && (await isPortFree(port))) return port;
  }
  return undefined;
}

/**
 * Returns a function whose calls return free ports, neighbours from a random block on. Instances that start at the same time, before
 * the engines bind their ports, thus choose the same ports once in 666 starts; with a random number for each port once in 37.
 */
function substitutePorts(used: ReadonlySet<number>): () => Promise<number> {
  const size = SUBSTITUTE_TO - SUBSTITUTE_FROM;
  const first = PORT_NAMES.length * randomInt(Math.floor(size / PORT_NAMES.length));
  let tried = 0;
  return async () => {
    for (; tried < size; tried += 1) {
      const port = SUBSTITUTE_FROM + ((first + tried) % size);
      if (used.has(port) || !(await isPortFree(port))) continue;
      tried += 1;
      return port;
    }
    throw new InstanceError('no-free-port', `No free port between ${SUBSTITUTE_FROM} and ${SUBSTITUTE_TO}.`);
  };
}
