import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import type { KubernetesObject } from './chart.ts';
import { kubernetesValidator, moduleFolder, run } from './tools.ts';

const CODE = 'import sys; from kubernetes_validate.__main__ import main; sys.exit(main())';

/** Kinds that the validator does not know: their definitions are in a Go module. */
const CUSTOM: Readonly<Record<string, string>> = { ScaledObject: 'keda.sh_scaledobjects.yaml' };

const definition = z.looseObject({
  spec: z.looseObject({
    versions: z.tuple([
      z.looseObject({ schema: z.looseObject({ openAPIV3Schema: z.record(z.string(), z.unknown()) }) }),
    ]),
  }),
});

/** Rejects unknown fields: the definitions of custom resources leave them out silently. */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const parts: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, closed(value)]),
  );
  const isObject =
    typeof parts['properties'] === 'object' && parts['x-kubernetes-preserve-unknown-fields'] === undefined;
  return isObject && parts['type'] === 'object' ? { additionalProperties: false, ...parts } : parts;
}

function customErrors(object: KubernetesObject, file: string): string[] {
  const crd = path.join(moduleFolder('github.com/kedacore/keda/v2'), 'config/crd/bases', file);
  const [{ schema }] = definition.parse(parse(readFileSync(crd, 'utf8'))).spec.versions;
  const properties = z.record(z.string(), z.unknown()).parse(schema.openAPIV3Schema['properties']);
  const ajv = new Ajv({ strict: false, validateFormats: false });
  // The server validates metadata by itself.
  const validate = ajv.compile(
    z
      .record(z.string(), z.unknown())
      .parse(closed({ ...schema.openAPIV3Schema, properties: { ...properties, metadata: {} } })),
  );
  validate(object);
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${object.kind} ${object.metadata.name}${instancePath}: ${message}`,
  );
}

/** Returns the errors of objects by the schemas of Kubernetes, strictly: unknown fields are errors. */
export function schemaErrors(objects: readonly KubernetesObject[]): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-manifests-'));
  try {
    const known = objects.filter(({ kind }) => CUSTOM[kind] === undefined);
    const file = path.join(folder, 'objects.yaml');
    writeFileSync(file, known.map((object) => stringify(object)).join('---\n'));
    const { PATH } = processEnvironment();
    const { status, stdout, stderr } = run('env', [
      '-i',
      `PATH=${PATH}`,
      `PYTHONPATH=${kubernetesValidator()}`,
      'python3',
      '-c',
      CODE,
      '--strict',
      file,
    ]);
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    const valid = lines.filter((line) => /^INFO .* passed/.test(line)).length;
    const errors = lines.filter((line) => !line.startsWith('INFO'));
    if (status === 0 && valid !== known.length)
      errors.push(`${valid} of ${known.length} objects were validated: ${lines[0]}`);
    if (status !== 0 && errors.length === 0) errors.push(`the validator ended with ${status}`);
    return [
      ...errors,
      ...objects.flatMap((object) => {
        const custom = CUSTOM[object.kind];
        return custom === undefined ? [] : customErrors(object, custom);
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the errors of a Compose file by the schema of the Compose specification. */
export function composeErrors(content: unknown): string[] {
  const file = path.join(moduleFolder('github.com/compose-spec/compose-go/v2'), 'schema/compose-spec.json');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8'))));
  validate(content);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
