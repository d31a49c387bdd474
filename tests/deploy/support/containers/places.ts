import path from 'node:path';
import { choosePorts } from '../../../../infra/instance/ports.ts';
import type { PortName } from '../../../../infra/instance/ports.ts';
import { freePort } from '../../../setup/worker-process.ts';

const ADDRESS = '127.0.0.1';

/** Ports of containers, by what runs in them, and the ports of an instance that replace them; null: any free one. */
const PORTS = {
  postgres: { 5432: 'postgres' },
  temporal: {
    7233: 'temporalFrontend',
    7234: 'temporalHistory',
    7235: 'temporalMatching',
    7240: 'temporalWorker',
    7239: 'temporalMetrics',
    6933: 'temporalFrontendMembership',
    6934: 'temporalHistoryMembership',
    6935: 'temporalMatchingMembership',
    6940: 'temporalWorkerMembership',
  },
  weaviate: {
    8080: 'weaviateHttp',
    50051: 'weaviateGrpc',
    7102: 'weaviateGossip',
    7103: 'weaviateData',
    8300: 'weaviateRaft',
    8301: 'weaviateRaftRpc',
  },
  api: { 37700: null },
  worker: { 27735: null },
  proxy: { 8443: null, 8080: null },
} as const satisfies Record<string, Readonly<Record<number, PortName | null>>>;
export type Listener = keyof typeof PORTS;

/** Programs and folders of images, and where they are here. */
export interface Programs {
  /** Folder with links to the programs; first on PATH. */
  readonly folder: string;
  readonly paths: Readonly<Record<string, string>>;
}

/** Where the containers of a server are on this machine. */
export interface Places {
  /** Ports by host and by port in its container. */
  readonly ports: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly programs: Programs;
  /** Returns the port of a host that replaces one of its container. @throws Error for a port that it does not have */
  port(host: string, port: number): number;
}

/** Chooses ports for hosts, by what listens there; `folder` gets the choice. `others` are further names and addresses of hosts. */
export async function choosePlaces(
  folder: string,
  programs: Programs,
  hosts: Readonly<Record<string, Listener>>,
  others: Readonly<Record<string, string>>,
): Promise<Places> {
  const chosen = await choosePorts({ file: path.join(folder, 'ports.json'), prefer: 'free' });
  const ports = new Map<string, Map<number, number>>();
  for (const [host, listener] of Object.entries(hosts)) {
    const own = new Map<number, number>();
    for (const [port, name] of Object.entries<PortName | null>(PORTS[listener]))
      own.set(Number(port), name === null ? await freePort() : chosen[name]);
    ports.set(host, own);
  }
  for (const [other, host] of Object.entries(others)) ports.set(other, ports.get(host) ?? new Map<number, number>());
  return {
    ports,
    programs,
    port(host, port) {
      const found = ports.get(host)?.get(port);
      if (found === undefined) throw new Error(`nothing listens on ${host}:${port}`);
      return found;
    },
  };
}

const anyOf = (texts: Iterable<string>) =>
  [...texts]
    .toSorted((one, other) => other.length - one.length)
    .map((text) => text.replaceAll('.', String.raw`\.`))
    .join('|');

/**
 * Returns the function that replaces in a text of the container of `host` what differs on this machine, and nothing else: addresses, ports, the
 * folders of `folders` and the programs of images. A host without a port is replaced after `--ep` only: names of services are also names of programs
 * and roles.
 */
export function translation(
  { ports, programs }: Places,
  host: string,
  folders: Readonly<Record<string, string>>,
): (text: string) => string {
  const own = ports.get(host) ?? new Map<number, number>();
  // Its own port, if two hosts have the same.
  const known = new Map([...[...ports.values()].flatMap((each) => [...each]), ...own]);
  const paths: Readonly<Record<string, string>> = { ...folders, ...programs.paths };
  const hosts = anyOf(ports.keys());
  const pattern = new RegExp(
    [
      `(?<![\\w.-])(?<other>${hosts}):(?<otherPort>\\d+)(?!\\w)`,
      String.raw`(?<![\w.])(?<self>0\.0\.0\.0|127\.0\.0\.1)(?::(?<selfPort>\d+))?(?!\d)`,
      `(?<=--ep )(?<endpoint>${hosts})(?![\\w.-])`,
      `(?<![\\w./:-])(?<port>${anyOf([...known.keys()].map(String))})(?![\\w.])`,
      `(?<![\\w./-])(?<path>${anyOf(Object.keys(paths))})(?![\\w-])`,
    ].join('|'),
    'g',
  );
  return (text) =>
    text.replaceAll(pattern, (all: string, ...found: unknown[]) => {
      const groups = found.at(-1) as Readonly<Record<string, string | undefined>>;
      const { other, otherPort, selfPort, endpoint, port } = groups;
      if (other !== undefined) return `${ADDRESS}:${ports.get(other)?.get(Number(otherPort)) ?? otherPort}`;
      if (groups['self'] !== undefined)
        return selfPort === undefined ? ADDRESS : `${ADDRESS}:${own.get(Number(selfPort)) ?? selfPort}`;
      if (endpoint !== undefined) return ADDRESS;
      if (port !== undefined) return String(known.get(Number(port)));
      return paths[groups['path'] ?? ''] ?? all;
    });
}

/** Returns a variable of a container on this machine: its text, or the address if its value is the name of a host. */
export function translatedValue(places: Places, translate: (text: string) => string, value: string): string {
  return places.ports.has(value) ? ADDRESS : translate(value);
}
