import { expect, test } from 'vitest';
import { z } from 'zod';
import { objectsIn, render } from './support/chart.ts';
import { named } from './support/pods.ts';

const policy = z.looseObject({
  spec: z.looseObject({
    ingress: z.array(z.looseObject({ from: z.array(z.unknown()).optional() })).default([]),
    egress: z
      .array(z.looseObject({ ports: z.array(z.looseObject({ port: z.union([z.number(), z.string()]) })).default([]) }))
      .default([]),
  }),
});
const COMMANDS = {
  podSelector: {
    matchLabels: {
      'app.kubernetes.io/name': 'recollect',
      'app.kubernetes.io/instance': 'recollect',
      'app.kubernetes.io/component': 'cli',
    },
  },
};
const namespaced = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

test('the api is open for the ingress, for who scrapes it and for commands, and for all if no peer is named', () => {
  const [restricted] = policy.parse(named(objectsIn(render('external')), 'NetworkPolicy', 'recollect-api')).spec
    .ingress;
  expect(restricted?.from).toEqual([namespaced('ingress-nginx'), namespaced('monitoring'), COMMANDS]);
  const [open] = policy.parse(named(objectsIn(render('defaults')), 'NetworkPolicy', 'recollect-api')).spec.ingress;
  expect(open).toEqual({ ports: [{ port: 'http' }] });
});

test('processes and commands reach engines by the ports of pods, and what extraEgress names', () => {
  const values = ['--set', 'weaviate.url=http://weaviate.weaviate.svc,weaviate.grpcPort=50051'];
  const objects = objectsIn(render('external', ...values));
  const { egress } = policy.parse(named(objects, 'NetworkPolicy', 'recollect-processes')).spec;
  expect(egress[1]?.ports.map(({ port }) => port)).toEqual([443, 5432, 7233, 80, 50_051, 8080]);
  expect(egress[2]).toEqual({ to: [namespaced('monitoring')], ports: [{ port: 4318 }] });
  for (const name of ['processes', 'postgresql', 'temporal', 'weaviate'])
    expect(JSON.stringify(named(objectsIn(render('defaults')), 'NetworkPolicy', `recollect-${name}`))).toContain(
      '"cli"',
    );
});
