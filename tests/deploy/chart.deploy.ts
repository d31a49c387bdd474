import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { environmentSchema } from '../../config/config.ts';
import {
  CHART,
  kubernetesObject,
  MANIFESTS,
  manifests,
  objectsIn,
  render,
  renderWith,
  VALUE_SETS,
} from './support/chart.ts';
import type { KubernetesObject } from './support/chart.ts';
import { policyFindings } from './support/policies.ts';
import { schemaErrors } from './support/schemas.ts';
import { helmProgram, run } from './support/tools.ts';

test('the chart has no findings of helm lint', () => {
  expect(run(helmProgram(), ['lint', '--strict', CHART])).toMatchObject({ status: 0 });
});

test.each(VALUE_SETS)('values %s: no schema errors, no policy findings', (set) => {
  const objects = objectsIn(render(set));
  expect(objects.length).toBeGreaterThan(10);
  expect(schemaErrors(objects)).toEqual([]);
  expect(policyFindings(objects)).toEqual([]);
});

/** Returns an object with one field replaced. */
function changed(
  objects: readonly KubernetesObject[],
  name: string,
  change: (text: string) => string,
): KubernetesObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Deployment' || object.metadata.name !== name) return object;
    const text = JSON.stringify(object);
    const other = change(text);
    expect(other).not.toBe(text);
    return kubernetesObject.parse(JSON.parse(other));
  });
}

test.each([
  ['a privileged container', '"privileged":false', '"privileged":true', 'is privileged'],
  ['privilege escalation', '"allowPrivilegeEscalation":false', '"allowPrivilegeEscalation":true', 'may escalate'],
  ['a writable root', '"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":false', 'writable root'],
  ['capabilities', '"drop":["ALL"]', '"drop":[]', 'does not drop'],
  ['the newest image', '/api:0.1.0"', '/api:latest"', 'without a fixed tag'],
  ['no tag', '/api:0.1.0"', '/api"', 'without a fixed tag'],
  ['no limit of memory', '"limits":{"cpu":"2","memory":"1536Mi"}', '"limits":{"cpu":"2"}', 'no limits of memory'],
  ['a mounted token', '"automountServiceAccountToken":false', '"automountServiceAccountToken":true', 'token'],
  ['root', '"runAsNonRoot":true', '"runAsNonRoot":false', 'may run as root'],
  ['a missing probe', '"livenessProbe"', '"x"', 'lacks a probe'],
  ['too little time to stop', '"terminationGracePeriodSeconds":35', '"terminationGracePeriodSeconds":25', 'is killed'],
  ['an update without surge', '"maxSurge":1', '"maxSurge":0', 'surge 1'],
  ['no anti-affinity', '"podAntiAffinity"', '"x"', 'one node'],
])('the policies find %s', (_what, from, to, finding) => {
  const objects = changed(objectsIn(render('defaults')), 'recollect-api', (text) => text.replace(from, to));
  expect(policyFindings(objects).join()).toContain(finding);
});

test('the policies find a deployment without a disruption budget', () => {
  const objects = objectsIn(render('defaults')).filter(({ kind }) => kind !== 'PodDisruptionBudget');
  expect(policyFindings(objects)).toEqual(
    expect.arrayContaining([
      'Deployment recollect-api: has no disruption budget',
      'Deployment recollect-worker-main: has no disruption budget',
    ]),
  );
});

test('the schemas find a wrong key, also of a ScaledObject', () => {
  const objects = objectsIn(render('external'));
  const wrong = changed(objects, 'recollect-api', (text) => text.replace('"readinessProbe"', '"readynessProbe"'));
  expect(schemaErrors(wrong).join()).toContain('readynessProbe');
  const scaled = objects
    .filter(({ kind }) => kind === 'ScaledObject')
    .map((object) =>
      kubernetesObject.parse(JSON.parse(JSON.stringify(object).replace('"maxReplicaCount"', '"maxReplicas"'))),
    );
  expect(scaled.length).toBeGreaterThan(0);
  expect(schemaErrors(scaled).join()).toContain('additional properties');
});

test.each([
  ['image.tag', ['image.tag=latest'], '/image/tag'],
  ['api.replicas', ['api.replicas=0'], '/api/replicas'],
  ['an unknown name', ['api.replica=2'], "'replica'"],
  ['a setting in lower case', ['settings.port=1'], "'port' does not match pattern '^RECOLLECT_"],
  ['a public proxy', ['api.trustProxy={not-a-range}'], '/api/trustProxy'],
  ['a worker without model', ['workers.main.queues={session}'], 'no group serves the queue model'],
  ['more copies than nodes', ['weaviate.replicationFactor=2'], 'must not exceed weaviate.replicas'],
  [
    'an external PostgreSQL without a Secret',
    ['postgresql.bundled=false', 'temporal.bundled=false', 'temporal.address=t:7233'],
    'existingSecret is needed',
  ],
  ['an external Temporal without an address', ['temporal.bundled=false'], 'temporal.address is needed'],
  ['an external Weaviate without an address', ['weaviate.bundled=false'], 'weaviate.url is needed'],
  ['Temporal without its database', ['postgresql.bundled=false', 'existingSecret=s'], 'temporal.bundled needs'],
])('Helm refuses %s and names the value', (_what, values, message) => {
  const { status, stderr } = renderWith('defaults', ...values.flatMap((value) => ['--set', value]));
  expect(status).not.toBe(0);
  expect(stderr).toContain(message);
});

const withVariables = z.looseObject({ env: z.array(z.looseObject({ name: z.string() })).default([]) });

/** Returns all objects within a value. */
function within(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(within)];
}

test.each(VALUE_SETS)('values %s: variables of pods are settings, and none is set twice', (set) => {
  for (const object of objectsIn(render(set)).flatMap(within)) {
    const names = (withVariables.safeParse(object).data?.env ?? []).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    for (const name of names.filter((each) => each.startsWith('RECOLLECT_')))
      expect(Object.keys(environmentSchema.shape)).toContain(name);
  }
});

const secret = z.looseObject({ kind: z.literal('Secret'), data: z.record(z.string(), z.string()) });

test('the chart creates passwords that differ, and keys in the form of their settings', () => {
  const [created] = objectsIn(render('defaults')).flatMap((object) => secret.safeParse(object).data ?? []);
  const values = Object.fromEntries(
    Object.entries(created?.data ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()]),
  );
  const { 'credentials.json': credentials, ...others } = values;
  expect(Object.keys(z.looseObject({}).parse(JSON.parse(credentials ?? '')))).toEqual(
    expect.arrayContaining(['url', 'api_key', 'admin', 'agent_api_key', 'agent_write_api_key']),
  );
  const passwords = Object.values(others).map((value) => URL.parse(value)?.password ?? value);
  // The superuser's is in two places.
  expect(new Set(passwords).size).toBe(passwords.length - 1);
  for (const name of Object.keys(values).filter((each) => each.startsWith('RECOLLECT_')))
    expect(Object.keys(environmentSchema.shape)).toContain(name);
  expect(Buffer.from(String(values['RECOLLECT_SECRET_KEYS']?.split(':')[1]), 'base64')).toHaveLength(32);
  const der = Buffer.from(String(values['RECOLLECT_BACKUP_SIGNING_KEY']), 'base64');
  expect(der.subarray(0, 16).toString('hex')).toBe('302e020100300506032b657004220420');
});

test('only the worker of maintenance, the migration and commands mount the keys of other tenants', () => {
  const mounted = objectsIn(render('external')).flatMap((object) =>
    JSON.stringify(object).includes('RECOLLECT_RESTORE_DATABASE_URL') ? [object.metadata.name] : [],
  );
  expect(mounted).toEqual(['recollect-worker-light', 'recollect-cli', 'recollect-migration-1']);
});

test('the plain manifests are those of the chart (npm run manifests)', () => {
  expect(readFileSync(MANIFESTS, 'utf8')).toBe(manifests());
});
