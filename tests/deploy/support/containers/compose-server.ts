import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { untilTrue } from '../../../setup/until.ts';
import { composeContent } from '../compose.ts';
import type { ComposeService } from '../compose.ts';
import { runToEnd, startContainer } from './container.ts';
import type { Container, StartedContainer } from './container.ts';
import { choosePlaces } from './places.ts';
import type { Listener, Places, Programs } from './places.ts';

const COMPOSE = path.resolve(import.meta.dirname, '../../../../deploy/compose');
/** What listens in the services. */
const LISTENERS: Readonly<Record<string, Listener>> = {
  'api-1': 'api',
  'api-2': 'api',
  'worker-1': 'worker',
  'worker-2': 'worker',
  postgres: 'postgres',
  temporal: 'temporal',
  weaviate: 'weaviate',
  proxy: 'proxy',
};
const seconds = z
  .string()
  .regex(/^\d+s$/)
  .transform((text) => Number.parseInt(text) * 1_000);
const healthSchema = z.object({
  test: z.array(z.string()),
  interval: seconds,
  start_period: seconds,
  start_interval: seconds,
  retries: z.int().default(3),
});

export interface UpOptions {
  /** Without the services that they depend on. */
  readonly alone?: boolean;
  /** Also those that run and have the newest image. */
  readonly force?: boolean;
}

/** A server that runs deploy/compose/compose.yaml, with the processes of its services on this machine. */
export interface ComposeServer {
  readonly places: Places;
  /** Name of the project, with which volumes are named. */
  readonly project: string;
  /** Folder of the volumes, by their names in the file. */
  readonly volumes: string;
  /** Creates the volumes. */
  create(): void;
  /** From here on services have older images than the newest, and `up` replaces them. */
  pull(): void;
  /**
   * Starts services, all if none is named, and what they depend on, each when those are healthy or done; resolves when all are.
   * @throws Error if one ends or does not become healthy in its time, with its output
   */
  up(names: readonly string[], options?: UpOptions): Promise<void>;
  /** Runs a service until it ends, with these arguments instead of its own if there are any. Returns its output. @throws Error with it */
  run(name: string, args: readonly string[]): Promise<string>;
  /** Runs a container that the file does not have until it ends. Returns its output. @throws Error with it */
  runAlone(container: Omit<Container, 'name' | 'host'>): Promise<string>;
  /** Returns the processes of running services by name. */
  processes(): Readonly<Record<string, number>>;
  /** Stops all services, dependents first. @throws Error if one needs more than its grace period */
  down(): Promise<void>;
}

export interface ServerFiles {
  readonly folder: string;
  /** What create-secrets.sh wrote. */
  readonly secrets: string;
  /** Content of settings.env. */
  readonly settings: Readonly<Record<string, string>>;
  readonly programs: Programs;
}

interface Entry {
  readonly started: StartedContainer;
  /** Images that were pulled before it was created. */
  readonly version: number;
}

/** Creates a server without containers. */
export async function composeServer({ folder, secrets, settings, programs }: ServerFiles): Promise<ComposeServer> {
  const file = composeContent('compose.yaml');
  const volumes = path.join(folder, 'volumes');
  const addresses = Object.entries(file.services).flatMap(([name, { networks }]) =>
    Array.isArray(networks)
      ? []
      : Object.values(networks).flatMap(({ ipv4_address: address }) =>
          address === undefined ? [] : [[address, name]],
        ),
  );
  const places = await choosePlaces(folder, programs, LISTENERS, Object.fromEntries(addresses));
  const created = new Map<string, Entry>();
  let version = 0;

  const serviceOf = (name: string): ComposeService => {
    const service = file.services[name];
    if (service === undefined) throw new Error(`compose.yaml has no service ${name}`);
    return service;
  };

  const containerOf = (name: string, args?: readonly string[]): Container => {
    const service = serviceOf(name);
    const files: Record<string, string> = {};
    const folders: Record<string, string | null> = {};
    for (const { source, target } of service.secrets) {
      const { file: secret = '' } = file.secrets[source] ?? {};
      files[path.resolve('/run/secrets', target)] = readFileSync(path.join(secrets, path.basename(secret)), 'utf8');
    }
    for (const [from = '', to = ''] of service.volumes.map((volume) => volume.split(':')))
      if (from.startsWith('.')) files[to] = readFileSync(path.join(COMPOSE, from), 'utf8');
      else folders[to] = path.join(volumes, from);
    for (const [target = ''] of service.tmpfs.map((each) => each.split(':'))) folders[target] = null;
    return {
      name,
      host: name,
      image: service.image ?? '',
      entrypoint: service.entrypoint,
      command: args ?? service.command,
      environment: { ...(service.env_file.length > 0 ? settings : {}), ...service.environment },
      files,
      folders,
    };
  };

  const start = (name: string, args?: readonly string[]) =>
    startContainer(containerOf(name, args), places, path.join(folder, 'containers', name));

  const stop = async (name: string): Promise<void> => {
    const { stop_signal, stop_grace_period } = serviceOf(name);
    await created.get(name)?.started.stop(stop_signal, seconds.parse(stop_grace_period));
  };

  const isRunning = (name: string): boolean => created.get(name)?.started.isRunning() === true;
  const isOnce = (name: string): boolean => serviceOf(name).restart?.startsWith('on-failure') === true;

  /** Returns the services that a service waits for. @throws Error for one that cannot get into the awaited condition */
  const dependenciesOf = (name: string): string[] =>
    Object.entries(serviceOf(name).depends_on).map(([dependency, { condition }]) => {
      if (isOnce(dependency) !== (condition === 'service_completed_successfully'))
        throw new Error(`${name} waits for ${dependency}, which is never ${condition}`);
      return dependency;
    });

  const untilHealthy = async (name: string): Promise<void> => {
    const { test, interval, start_period, start_interval, retries } = healthSchema.parse(serviceOf(name).healthcheck);
    const { started } = created.get(name) ?? {};
    let nextMs = 0;
    await untilTrue(
      async () => {
        if (started?.isRunning() !== true) throw new Error(`${name} ended:\n${started?.log()}`);
        if (performance.now() < nextMs) return false;
        nextMs = performance.now() + start_interval / 4;
        return started.check(test);
      },
      start_period + retries * interval,
      async () => `${name} to be healthy:\n${started?.log()}`,
    );
  };

  /** Starts services in the order of their dependencies, at once where they have none. */
  const up = async (names: readonly string[], { alone = false, force = false }: UpOptions = {}): Promise<void> => {
    const pending = new Map<string, Promise<void>>();
    const ensure = async (name: string): Promise<void> => {
      const existing = pending.get(name);
      if (existing !== undefined) return existing;
      const work = (async () => {
        if (!alone) await Promise.all(dependenciesOf(name).map(ensure));
        if (isOnce(name)) {
          await runToEnd(await start(name), name);
          return;
        }
        const entry = created.get(name);
        if (entry === undefined || !isRunning(name) || entry.version < version || force) {
          await stop(name);
          created.set(name, { started: await start(name), version });
        }
        await untilHealthy(name);
      })();
      pending.set(name, work);
      return work;
    };
    const all = Object.keys(file.services).filter((name) => serviceOf(name).profiles.length === 0);
    const results = await Promise.allSettled((names.length === 0 ? all : names).map(ensure));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };

  return {
    places,
    project: file.name ?? '',
    volumes,
    create() {
      for (const name of Object.keys(file.volumes)) mkdirSync(path.join(volumes, name), { recursive: true });
    },
    pull() {
      version += 1;
    },
    up,
    async run(name, args) {
      for (const dependency of dependenciesOf(name))
        if (!isOnce(dependency) && !isRunning(dependency)) await up([dependency]);
      return runToEnd(await start(name, args.length === 0 ? undefined : args), name);
    },
    async runAlone(container) {
      const alone = { ...container, name: 'alone', host: 'alone' };
      return runToEnd(await startContainer(alone, places, path.join(folder, 'containers/alone')), 'docker run');
    },
    processes: () =>
      Object.fromEntries([...created].flatMap(([name, { started }]) => (isRunning(name) ? [[name, started.pid]] : []))),
    async down() {
      const stopped = new Map<string, Promise<void>>();
      const end = async (name: string): Promise<void> => {
        const existing = stopped.get(name);
        if (existing !== undefined) return existing;
        const dependents = [...created.keys()].filter((other) => other !== name && needs(file.services, other, name));
        const work = Promise.all(dependents.map(end)).then(() => stop(name));
        stopped.set(name, work);
        return work;
      };
      await Promise.all([...created.keys()].map(end));
    },
  };
}

/** Returns whether a service depends on another one, directly or not. */
function needs(services: Readonly<Record<string, ComposeService>>, from: string, to: string): boolean {
  return from === to || Object.keys(services[from]?.depends_on ?? {}).some((name) => needs(services, name, to));
}
