import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { environmentSchema, parseConfig } from '../../config/config.ts';
import { createMaintenancePools, ERASURE_POOL } from '../../workers/pools.ts';
import { CHART, objectsIn, render, VALUE_SETS } from './support/chart.ts';
import type { KubernetesObject } from './support/chart.ts';
import { named, podOf, settingsOf } from './support/pods.ts';

const scaling = z.looseObject({
  spec: z.looseObject({
    scaleTargetRef: z.looseObject({ name: z.string() }),
    maxReplicas: z.number().optional(),
    maxReplicaCount: z.number().optional(),
  }),
});
const deployment = z.looseObject({ spec: z.looseObject({ replicas: z.number().optional() }) });

/** Returns the pods of a deployment that may run at once, one more during an update. */
function mostPods(objects: readonly KubernetesObject[], name: string): number {
  const scaled = objects
    .flatMap((object) => (/Autoscaler|ScaledObject/.test(object.kind) ? [scaling.parse(object).spec] : []))
    .find(({ scaleTargetRef }) => scaleTargetRef.name === name);
  const { replicas } = deployment.parse(named(objects, 'Deployment', name)).spec;
  return (scaled?.maxReplicas ?? scaled?.maxReplicaCount ?? replicas ?? Number.NaN) + 1;
}

/** Connections of a worker of sweeps or maintenance beside the pool of its settings. */
function maintenanceConnections(): number {
  const address = 'postgres://app:x@127.0.0.1/recollect';
  const pools = createMaintenancePools(
    parseConfig({
      RECOLLECT_DATABASE_URL: address,
      RECOLLECT_MAINTENANCE_DATABASE_URL: address,
      RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:7233',
      RECOLLECT_WEAVIATE_URL: 'http://127.0.0.1:8080',
      RECOLLECT_WEAVIATE_GRPC_PORT: '50051',
      RECOLLECT_WEAVIATE_API_KEY: 'x',
      RECOLLECT_CACHE_DIR: '/nowhere',
    }),
    () => undefined,
  );
  return Object.values(pools).reduce((sum, { options }) => sum + options.max, ERASURE_POOL);
}

/** Connections of each service of Temporal. */
const temporalConnections = (): number =>
  [...readFileSync(path.join(CHART, 'files/temporal.yaml'), 'utf8').matchAll(/maxConns: (\d+)/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
const TEMPORAL_SERVICES = 4;
/** Superusers, a migration, a backup and commands. */
const OTHERS = 3 + 5 + 3 + 4;

test.each<[set: string, values: string]>([
  ...VALUE_SETS.filter((set) => set !== 'external').map((set): [string, string] => [set, '']),
  ['defaults', 'settings.RECOLLECT_DB_POOL_MAX=30,api.autoscaling.maxReplicas=20'],
  ['defaults', 'keda.enabled=true,workers.main.autoscaling.maxReplicas=30'],
])('the bundled PostgreSQL has connections for all pods: %s %s', (set, values) => {
  const objects = objectsIn(render(set, '--set', values));
  let needed = OTHERS;
  for (const object of objects.filter(({ kind }) => kind === 'Deployment')) {
    const { name } = object.metadata;
    if (name === 'recollect-temporal') needed += temporalConnections() * TEMPORAL_SERVICES;
    if (!/-(?:api|worker-\w+)$/.test(name)) continue;
    const of = podOf(object);
    const pool = Number(
      settingsOf(of)['RECOLLECT_DB_POOL_MAX'] ?? environmentSchema.shape.RECOLLECT_DB_POOL_MAX.parse(undefined),
    );
    const isMaintaining = of.containers.some(({ args: words }) => /sweeps|maintenance/.test(words.join()));
    const others = name.endsWith('-api') ? 1 : isMaintaining ? maintenanceConnections() : 0;
    needed += mostPods(objects, name) * (pool + others);
  }
  const words = podOf(named(objects, 'StatefulSet', 'recollect-postgresql')).containers.flatMap(
    ({ args: each }) => each,
  );
  const most = Number(words.find((word) => word.startsWith('max_connections='))?.split('=')[1]);
  expect(needed).toBeGreaterThan(100);
  expect(most).toBeGreaterThanOrEqual(needed);
});
