import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { InstanceError } from './instance-error.ts';
import { isSystemError, readJsonFile } from './json-file.ts';

/** Temporal stores membership ports as a signed 16-bit number; a larger one ends the server after its port opened. */
export const MAX_MEMBERSHIP_PORT = 32_767;

/** What each port is when nothing else has it. */
export const DEFAULT_PORTS = {
  api: 37_700,
  postgres: 37_710,
  temporalFrontend: 37_720,
  temporalHistory: 37_721,
  temporalMatching: 37_722,
  temporalWorker: 37_723,
  temporalMetrics: 37_724,
  temporalFrontendMembership: 27_720,
  temporalHistoryMembership: 27_721,
  temporalMatchingMembership: 27_722,
  temporalWorkerMembership: 27_723,
  weaviateHttp: 37_730,
  weaviateGrpc: 37_731,
  weaviateGossip: 37_732,
  weaviateData: 37_733,
  weaviateRaft: 37_734,
  weaviateRaftRpc: 37_735,
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

/** Substitutes come from below the range that systems use for outgoing connections, so none of those can take one. */
const SUBSTITUTE_FROM = 20_000;
const SUBSTITUTE_TO = 32_000;
const SUBSTITUTE_TRIES = 400;

const portSchema = z.int().min(1).max(65_535);
const savedSchema = z.record(z.string(), portSchema);

/** The ports that the data directory used last; names without a saved port are left out. A damaged file counts as none. */
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

/** Whether a port can be listened on, on the loopback address and on all of them. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::'));
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  server.once('error', (error) => {
    if (isSystemError(error, 'EADDRINUSE') || isSystemError(error, 'EACCES')) resolve(false);
    // A machine without IPv6 has no such address: nobody can hold the port there.
    else if (isSystemError(error, 'EAFNOSUPPORT') || isSystemError(error, 'EADDRNOTAVAIL')) resolve(true);
    else reject(error);
  });
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

export interface PortChoice {
  readonly file: string;
  /** The port that the user asked for. It is taken or refused, never replaced. */
  readonly api?: number | undefined;
  /** `free` skips saved and default ports: for test runs beside a running instance. */
  readonly prefer: 'saved' | 'free';
}

/**
 * Chooses all ports and saves them: the saved one while it is free, else the default, else a free one, no port twice.
 * Throws InstanceError `port-taken` when the asked API port is taken, `no-free-port` when none is left.
 */
export async function choosePorts(choice: PortChoice): Promise<Ports> {
  const saved = choice.prefer === 'saved' ? readSavedPorts(choice.file) : {};
  const chosen: Record<PortName, number> = { ...DEFAULT_PORTS };
  const used = new Set<number>();
  for (const name of PORT_NAMES) {
    const port = await choosePort(name, choice, saved[name], used);
    used.add(port);
    chosen[name] = port;
  }
  writeFileAtomic(choice.file, `${JSON.stringify(chosen, null, 2)}\n`, 0o600);
  return chosen;
}

async function choosePort(
  name: PortName,
  choice: PortChoice,
  saved: number | undefined,
  used: Set<number>,
): Promise<number> {
  if (name === 'api' && choice.api !== undefined) {
    if (await isPortFree(choice.api)) return choice.api;
    throw new InstanceError(
      'port-taken',
      `Port ${choice.api} is taken by another program. Choose another with --port, or leave it out.`,
    );
  }
  const wanted = choice.prefer === 'saved' ? [saved, DEFAULT_PORTS[name]] : [];
  for (const port of wanted) {
    if (port !== undefined && !used.has(port) && (await isPortFree(port))) return port;
  }
  for (let attempt = 0; attempt < SUBSTITUTE_TRIES; attempt += 1) {
    const port = randomInt(SUBSTITUTE_FROM, SUBSTITUTE_TO);
    if (!used.has(port) && (await isPortFree(port))) return port;
  }
  throw new InstanceError(
    'no-free-port',
    `No free port was found between ${SUBSTITUTE_FROM} and ${SUBSTITUTE_TO} for ${name}.`,
  );
}
