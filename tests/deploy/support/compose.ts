import { z } from 'zod';
import { deployFile } from './chart.ts';

const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const secretUse = z.union([
  z.string().transform((source) => ({ source, target: source })),
  z
    .object({ source: z.string(), target: z.string().optional() })
    .transform(({ source, target }) => ({ source, target: target ?? source })),
]);

/** A service of a Compose file, as far as the tests read it. */
export const composeService = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  privileged: z.boolean().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).default([]),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  restart: z.string().optional(),
  environment: z.record(z.string(), value).default({}),
  env_file: z.array(z.object({ path: z.string(), required: z.literal(false) })).default([]),
  profiles: z.array(z.string()).default([]),
  networks: z
    .union([z.array(z.string()), z.record(z.string(), z.object({ ipv4_address: z.ipv4().optional() }))])
    .default([]),
  secrets: z.array(secretUse).default([]),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  depends_on: z
    .record(z.string(), z.object({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }))
    .default({}),
  stop_signal: z.enum(['SIGTERM', 'SIGINT']).default('SIGTERM'),
  stop_grace_period: z.string().default('10s'),
  healthcheck: z.unknown().optional(),
  ports: z.array(z.string()).default([]),
  deploy: z.looseObject({ resources: z.looseObject({ limits: z.record(z.string(), z.unknown()) }) }).optional(),
});
export type ComposeService = z.output<typeof composeService>;

const composeFile = z.looseObject({
  name: z.string().optional(),
  services: z.record(z.string(), composeService),
  volumes: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.object({ file: z.string() })).default({}),
});

/** Replaces variables by their defaults, as Compose does without an .env file, and `$$` by `$`. */
function interpolated(content: unknown): unknown {
  const text = JSON.stringify(content)
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
    .replaceAll('$$', '$');
  return JSON.parse(text);
}

/** Returns a Compose file of deploy/compose, with the defaults of its variables. */
export function composeContent(file: string): z.output<typeof composeFile> {
  return composeFile.parse(interpolated(deployFile(`compose/${file}`)));
}

const RUN_ONCE = /^(?:no$|on-failure)/;
const PINNED = /^[a-z0-9.:/_-]+(?::(?!latest$)[A-Za-z0-9][\w.-]*|@sha256:[0-9a-f]{64})$/;
/** Its image has no folder that another user owns, so a new volume belongs to root; it has no capabilities. */
const MAY_BE_ROOT: ReadonlySet<string> = new Set(['weaviate']);
/** Images without a shell and a client. */
const UNCHECKED: ReadonlySet<string> = new Set(['collector', 'loki']);

/** Returns the findings about a service. */
export function serviceFindings(name: string, service: ComposeService): string[] {
  const findings: string[] = [];
  const expect = (isMet: boolean, finding: string): void => void (isMet || findings.push(`${name} ${finding}`));
  expect(service.privileged !== true && service.cap_add.length === 0, 'has privileges');
  expect(service.cap_drop.includes('ALL'), 'does not drop all capabilities');
  expect(service.security_opt.includes('no-new-privileges:true'), 'may get new privileges');
  expect(service.read_only === true, 'has a writable root file system');
  expect(MAY_BE_ROOT.has(name) || /^[1-9]\d*:\d+$/.test(service.user ?? ''), 'may run as root');
  expect(PINNED.test(service.image ?? ''), 'has an image without a fixed tag or digest');
  const { cpus, memory } = service.deploy?.resources.limits ?? {};
  expect(cpus !== undefined && memory !== undefined, 'has no limits');
  expect(service.restart !== undefined, 'is not restarted');
  const isOnce = RUN_ONCE.test(service.restart ?? '');
  expect(isOnce || UNCHECKED.has(name) || service.healthcheck !== undefined, 'has no health check');
  const drainMs = Number(service.environment['RECOLLECT_SHUTDOWN_GRACE_MS'] ?? 0);
  expect(Number.parseInt(service.stop_grace_period) * 1_000 > drainMs, 'is killed before its time to stop has passed');
  for (const [variable, text] of Object.entries(service.environment))
    expect(
      !/PASSWORD$|_KEY$|_KEYS$|TOKEN$/.test(variable) && !/:\/\/[^/]*@/.test(text),
      `has the secret ${variable} in its environment`,
    );
  return findings;
}
