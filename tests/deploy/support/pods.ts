import { z } from 'zod';
import type { KubernetesObject } from './chart.ts';

const probe = z.looseObject({
  exec: z.object({ command: z.array(z.string()) }).optional(),
  grpc: z.object({ port: z.int(), service: z.string() }).optional(),
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.int()]) }).optional(),
});
const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ fieldRef: z.object({ fieldPath: z.string() }) }).optional(),
});
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z.array(variable).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })).default([]),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});
const items = z.array(z.object({ key: z.string(), path: z.string() }));
const secretSource = z.object({ secret: z.looseObject({ name: z.string(), items }) });
const pod = z.looseObject({
  serviceAccountName: z.string().optional(),
  terminationGracePeriodSeconds: z.int().default(30),
  containers: z.array(container),
  initContainers: z.array(container).default([]),
  volumes: z.array(
    z.looseObject({
      name: z.string(),
      projected: z.looseObject({ sources: z.array(secretSource) }).optional(),
      secret: z.looseObject({ secretName: z.string(), items: items.default([]) }).optional(),
      configMap: z.object({ name: z.string() }).optional(),
    }),
  ),
});
const template = z.looseObject({ template: z.looseObject({ spec: pod }) });

/** Returns the object of a kind and a name. @throws Error if there is none */
export function named(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** A pod and its containers, as far as the tests read them. */
export type Pod = z.output<typeof pod>;
export type PodContainer = z.output<typeof container>;
export type PodProbe = z.output<typeof probe>;

/** Returns the pod of a workload. */
export function podOf(object: KubernetesObject): Pod {
  const { spec } = z.looseObject({ spec: z.unknown() }).parse(object);
  const inner = z.looseObject({ jobTemplate: z.looseObject({ spec: template }) }).safeParse(spec).data?.jobTemplate;
  return (inner?.spec ?? template.parse(spec)).template.spec;
}

/** Returns the variables of a pod. */
export function settingsOf({ containers }: Pod): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(containers.flatMap(({ env }) => env.map(({ name, value }) => [name, value])));
}
