import path from 'node:path';
import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { untilTrue } from '../../../setup/until.ts';
import type { KubernetesObject } from '../chart.ts';
import { named, podOf } from '../pods.ts';
import type { Pod, PodContainer, PodProbe } from '../pods.ts';
import { runToEnd, startContainer } from './container.ts';
import type { Container, StartedContainer } from './container.ts';
import { choosePlaces } from './places.ts';
import type { Programs } from './places.ts';

const READY_MS = 180_000;
const SERVING: number = 1;
const HOSTS = {
  'recollect-postgresql': 'postgres',
  'recollect-temporal': 'temporal',
  'recollect-weaviate': 'weaviate',
} as const;
const dataSchema = z.looseObject({ data: z.record(z.string(), z.string()) });

/** Pods of a rendered chart, as processes of this machine. */
export interface ChartServer {
  /** Starts a pod: its init containers one after another, then its container. Resolves when its startup and readiness probes succeed. */
  start(kind: string, name: string): Promise<void>;
  /** Runs the container of a job until it ends, with this call instead of its own if given. Returns its output. @throws Error with it */
  run(kind: string, name: string, call?: readonly string[]): Promise<string>;
  /** Stops the pods, the last one first, each within its grace period. */
  stop(): Promise<void>;
}

/** Creates a server without pods. */
export async function chartServer(
  objects: readonly KubernetesObject[],
  folder: string,
  programs: Programs,
): Promise<ChartServer> {
  const places = await choosePlaces(folder, programs, HOSTS, { 'recollect-weaviate-nodes': 'recollect-weaviate' });
  const stops: (() => Promise<void>)[] = [];

  /** Returns the content of files in a volume by their names; null for a folder. */
  const filesIn = ({ configMap, secret, projected }: Pod['volumes'][number]): Record<string, string> | null => {
    if (configMap !== undefined) return dataSchema.parse(named(objects, 'ConfigMap', configMap.name)).data;
    const secrets = [
      ...(secret === undefined ? [] : [{ name: secret.secretName, items: secret.items }]),
      ...(projected?.sources ?? []).map((source) => source.secret),
    ];
    if (secrets.length === 0) return null;
    return Object.fromEntries(
      secrets.flatMap(({ name, items }) => {
        const { data } = dataSchema.parse(named(objects, 'Secret', name));
        // A key that the Secret lacks is left out.
        return items.flatMap(({ key, path: file }) => {
          const value = data[key];
          return value === undefined ? [] : [[file, Buffer.from(value, 'base64').toString()] as const];
        });
      }),
    );
  };

  const containerOf = (name: string, { volumes }: Pod, described: PodContainer): Container => {
    const files: Record<string, string> = {};
    const folders: Record<string, string | null> = {};
    for (const { name: volumeName, mountPath } of described.volumeMounts) {
      const volume = volumes.find((each) => each.name === volumeName);
      const content = volume === undefined ? null : filesIn(volume);
      // Those without a description are claims, which stay.
      folders[mountPath] = volume === undefined ? path.join(folder, 'volumes', name, volumeName) : null;
      for (const [file, text] of Object.entries(content ?? {})) files[path.join(mountPath, file)] = text;
    }
    const fields: Readonly<Record<string, string>> = { 'metadata.name': `${name}-0`, 'status.podIP': '127.0.0.1' };
    return {
      name: described.name,
      host: name,
      image: described.image,
      entrypoint: described.command.length === 0 ? undefined : described.command,
      command: described.args,
      environment: Object.fromEntries(
        described.env.map((each) => [each.name, each.value ?? fields[each.valueFrom?.fieldRef.fieldPath ?? ''] ?? '']),
      ),
      files,
      folders,
    };
  };

  const start = (name: string, pod: Pod, described: PodContainer) =>
    startContainer(containerOf(name, pod, described), places, path.join(folder, 'containers', name, described.name));

  const succeeds = async (name: string, probe: PodProbe, { ports }: PodContainer, started: StartedContainer) => {
    const { exec, grpc, httpGet } = probe;
    if (exec !== undefined) return started.check(['CMD', ...exec.command]);
    if (grpc !== undefined) return serves(`127.0.0.1:${places.port(name, grpc.port)}`, grpc.service);
    const port = ports.find((each) => each.name === httpGet?.port)?.containerPort;
    if (httpGet === undefined || port === undefined) throw new Error(`${name} lacks a probe`);
    return fetch(`http://127.0.0.1:${places.port(name, port)}${httpGet.path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  };

  return {
    async start(kind, name) {
      const pod = podOf(named(objects, kind, name));
      for (const each of pod.initContainers) await runToEnd(await start(name, pod, each), each.name);
      const [described] = pod.containers;
      if (described === undefined) throw new Error(`${name} has no container`);
      const started = await start(name, pod, described);
      const signal = JSON.stringify(described).includes('kill -INT 1') ? 'SIGINT' : 'SIGTERM';
      stops.unshift(() => started.stop(signal, pod.terminationGracePeriodSeconds * 1_000));
      await untilTrue(
        async () => {
          if (!started.isRunning()) throw new Error(`${name} ended:\n${started.log()}`);
          for (const probe of [described.startupProbe, described.readinessProbe])
            if (!(await succeeds(name, probe ?? {}, described, started))) return false;
          return true;
        },
        READY_MS,
        async () => `${name} to be ready:\n${started.log()}`,
      );
    },
    async run(kind, name, call) {
      const pod = podOf(named(objects, kind, name));
      const [described] = pod.containers;
      if (described === undefined) throw new Error(`${name} has no container`);
      const own = call === undefined ? described : { ...described, command: [...call], args: [] };
      return runToEnd(await start(name, pod, own), name);
    },
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}

/** Returns whether a service of gRPC is serving, as the probe of a pod finds it. */
async function serves(address: string, service: string): Promise<boolean> {
  // Without interceptors and their retries: a probe fails at once.
  const connection = Connection.lazy({ address, connectTimeout: 1_000, interceptors: [] });
  try {
    const { status }: { status: number } = await connection.withDeadline(Date.now() + 2_000, () =>
      connection.healthService.check({ service }),
    );
    return status === SERVING;
  } catch {
    return false; // Not yet.
  } finally {
    await connection.close();
  }
}
