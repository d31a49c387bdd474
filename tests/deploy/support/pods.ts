import { z } from 'zod';
import type { KubernetesObject } from './chart.ts';

const container = z.looseObject({
  name: z.string(),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
});
const secretSource = z.object({
  secret: z.looseObject({ name: z.string(), items: z.array(z.object({ key: z.string() })) }),
});
const pod = z.looseObject({
  serviceAccountName: z.string().optional(),
  containers: z.array(container),
  initContainers: z.array(container).default([]),
  volumes: z.array(
    z.looseObject({
      name: z.string(),
      projected: z.looseObject({ sources: z.array(secretSource) }).optional(),
      secret: z.looseObject({ secretName: z.string(), items: z.array(z.unknown()).default([]) }).optional(),
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

/** A pod, as far as the tests of wiring read it. */
export type Pod = z.output<typeof pod>;

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
