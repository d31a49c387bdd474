import { z } from 'zod';
import type { KubernetesObject } from './chart.ts';

const quantities = z.looseObject({ cpu: z.unknown(), memory: z.unknown() }).partial();
const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  securityContext: z
    .looseObject({
      privileged: z.boolean().optional(),
      allowPrivilegeEscalation: z.boolean().optional(),
      readOnlyRootFilesystem: z.boolean().optional(),
      capabilities: z
        .looseObject({ drop: z.array(z.string()).default([]), add: z.array(z.string()).default([]) })
        .optional(),
    })
    .default({}),
  resources: z
    .looseObject({ requests: quantities.default({}), limits: quantities.default({}) })
    .default({ requests: {}, limits: {} }),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  lifecycle: z
    .looseObject({ preStop: z.looseObject({ sleep: z.object({ seconds: z.number() }).optional() }).optional() })
    .default({}),
  readinessProbe: z.unknown().optional(),
  livenessProbe: z.unknown().optional(),
});
const pod = z.looseObject({
  automountServiceAccountToken: z.boolean().optional(),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z
    .looseObject({
      runAsNonRoot: z.boolean().optional(),
      runAsUser: z.number().optional(),
      seccompProfile: z.unknown().optional(),
    })
    .default({}),
  affinity: z.looseObject({ podAntiAffinity: z.unknown().optional() }).default({}),
  containers: z.array(container),
  initContainers: z.array(container).default([]),
  volumes: z.array(z.looseObject({ name: z.string(), hostPath: z.unknown().optional() })).default([]),
});
const workload = z.looseObject({
  spec: z.looseObject({
    replicas: z.number().optional(),
    strategy: z
      .looseObject({ rollingUpdate: z.looseObject({ maxSurge: z.unknown(), maxUnavailable: z.unknown() }).optional() })
      .optional(),
    template: z.looseObject({ metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }), spec: pod }),
  }),
});

type Container = z.output<typeof container>;
type Pod = z.output<typeof pod>;

const cronJob = z.looseObject({ spec: z.looseObject({ jobTemplate: workload }) });

const WORKLOADS: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'Job', 'CronJob']);
const RUN_ONCE: ReadonlySet<string> = new Set(['Job', 'CronJob']);
const PINNED = /^[a-z0-9.:/_-]+(?::(?!latest$)[A-Za-z0-9][\w.-]*|@sha256:[0-9a-f]{64})$/;
const MS = 1_000;

function containerFindings({ name, image, securityContext, resources }: Container): string[] {
  const findings: string[] = [];
  const expect = (isMet: boolean, finding: string): void =>
    void (isMet || findings.push(`container ${name} ${finding}`));
  expect(securityContext.privileged !== true, 'is privileged');
  expect(securityContext.allowPrivilegeEscalation === false, 'may escalate privileges');
  expect(securityContext.readOnlyRootFilesystem === true, 'has a writable root file system');
  expect(securityContext.capabilities?.drop.includes('ALL') === true, 'does not drop all capabilities');
  expect((securityContext.capabilities?.add ?? []).length === 0, 'adds capabilities');
  expect(PINNED.test(image), `has the image ${image} without a fixed tag or digest`);
  for (const part of ['requests', 'limits'] as const)
    for (const kind of ['cpu', 'memory'] as const)
      expect(resources[part][kind] !== undefined, `has no ${part} of ${kind}`);
  return findings;
}

function podFindings(spec: Pod): string[] {
  const findings = [...spec.containers, ...spec.initContainers].flatMap(containerFindings);
  const expect = (isMet: boolean, finding: string): void => void (isMet || findings.push(finding));
  expect(spec.automountServiceAccountToken === false, 'mounts the token of its service account');
  expect(spec.hostNetwork !== true && spec.hostPID !== true, 'shares namespaces of its node');
  expect(spec.securityContext.runAsNonRoot === true && (spec.securityContext.runAsUser ?? 0) > 0, 'may run as root');
  expect(spec.securityContext.seccompProfile !== undefined, 'has no seccomp profile');
  expect(
    spec.volumes.every(({ hostPath }) => hostPath === undefined),
    'mounts a folder of its node',
  );
  return findings;
}

/** Findings about what runs all the time: probes, and more time to stop than the process uses. */
function serviceFindings(spec: Pod): string[] {
  const findings: string[] = [];
  for (const { name, readinessProbe, livenessProbe, env, lifecycle } of spec.containers) {
    if (readinessProbe === undefined || livenessProbe === undefined) findings.push(`container ${name} lacks a probe`);
    const drainMs = Number(env.find((variable) => variable.name === 'RECOLLECT_SHUTDOWN_GRACE_MS')?.value ?? 0);
    const neededMs = drainMs + (lifecycle.preStop?.sleep?.seconds ?? 0) * MS;
    if (spec.terminationGracePeriodSeconds * MS <= neededMs)
      findings.push(`container ${name} is killed before its ${neededMs} ms to stop have passed`);
  }
  if (spec.affinity.podAntiAffinity === undefined) findings.push('may have all pods on one node');
  return findings;
}

/** Returns the findings about the objects of a release, each with the object's kind and name. */
export function policyFindings(objects: readonly KubernetesObject[]): string[] {
  const budgets = objects
    .filter(({ kind }) => kind === 'PodDisruptionBudget')
    .map(
      (budget) =>
        z
          .looseObject({
            spec: z.object({
              maxUnavailable: z.number(),
              selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
            }),
          })
          .parse(budget).spec,
    );
  return objects.flatMap((object) => {
    if (!WORKLOADS.has(object.kind)) return [];
    const { spec } = object.kind === 'CronJob' ? cronJob.parse(object).spec.jobTemplate : workload.parse(object);
    const { labels } = spec.template.metadata;
    const findings = podFindings(spec.template.spec);
    if (!RUN_ONCE.has(object.kind)) findings.push(...serviceFindings(spec.template.spec));
    if (object.kind === 'Deployment' && /-(?:api|worker-[\w-]+)$/.test(object.metadata.name)) {
      const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {};
      if (maxSurge !== 1 || maxUnavailable !== 0) findings.push('does not update with surge 1 and unavailable 0');
      const isCovered = budgets.some(
        ({ maxUnavailable: most, selector }) =>
          most === 1 && Object.entries(selector.matchLabels).every(([name, value]) => labels[name] === value),
      );
      if (!isCovered) findings.push('has no disruption budget');
    }
    return findings.map((finding) => `${object.kind} ${object.metadata.name}: ${finding}`);
  });
}
