import path from 'node:path';
import { z } from 'zod';
import { createApiDependencies } from '../../api/dependencies.ts';
import { createServer } from '../../api/server.ts';
import { parseConfig } from '../../config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { TypeWriter } from './declarations.ts';
import type { JsonSchema } from './declarations.ts';
import { replaceFile } from './replace-file.ts';

const FOLDER = path.resolve(import.meta.dirname, '..', '..', 'viewer', 'contract');
const PREFIX = '/api/v1';
const COMPONENTS = '#/components/schemas/';
const STREAM_EVENT: JsonSchema = { $ref: `${COMPONENTS}StreamEvent` };
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** JSON Schema of the document. Its members are read one at a time, so that only its being an object is checked. */
const schema = z.custom<JsonSchema>((value) => typeof value === 'object' && value !== null);
const content = z.record(z.string(), z.looseObject({ schema: schema.optional() }));
const operationSchema = z.looseObject({
  summary: z.string().optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        description: z.string().optional(),
        schema,
      }),
    )
    .default([]),
  requestBody: z.looseObject({ required: z.boolean().optional(), content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: content.optional() })),
});
type Operation = z.output<typeof operationSchema>;
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.looseObject({ schemas: z.record(z.string(), schema) }),
});

/** Returns the OpenAPI document of the routes. Clients connect at their first use: no engine is needed. */
async function openApiDocument(): Promise<z.output<typeof documentSchema>> {
  const config = parseConfig({
    RECOLLECT_DATABASE_URL: 'postgresql://app@127.0.0.1:1/none',
    RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:1',
    RECOLLECT_WEAVIATE_URL: 'http://127.0.0.1:1',
    RECOLLECT_WEAVIATE_GRPC_PORT: '1',
    RECOLLECT_WEAVIATE_API_KEY: 'none',
    RECOLLECT_CACHE_DIR: '/nonexistent',
  });
  const logger = createLogger('build', 'error');
  const dependencies = createApiDependencies(config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  await server.ready();
  const document = documentSchema.parse(JSON.parse(JSON.stringify(server.swagger())));
  await server.close();
  await dependencies.close();
  return document;
}

/** Returns the schema of parameters in one place of the address as an object; null without any. */
function parametersIn({ parameters }: Operation, place: 'path' | 'query'): JsonSchema | null {
  const found = parameters.filter((parameter) => parameter.in === place);
  if (found.length === 0) return null;
  return {
    type: 'object',
    properties: Object.fromEntries(
      found.map(({ name, description, schema: type }) => [
        name,
        description === undefined ? type : { ...type, description },
      ]),
    ),
    required: found.filter(({ required }) => required === true).map(({ name }) => name),
  };
}

/** Returns the schema of the answer with the lowest status below 300; null if it is no JSON. */
function answerOf({ responses }: Operation): JsonSchema | null {
  const status = Object.keys(responses)
    .filter((name) => name.startsWith('2'))
    .toSorted()[0];
  return (status === undefined ? undefined : responses[status]?.content?.['application/json']?.schema) ?? null;
}

/** Adds the names of the components to which a schema refers, and those to which they refer. */
function addReferences(value: unknown, schemas: Readonly<Record<string, JsonSchema>>, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (key !== '$ref' || typeof child !== 'string') {
      addReferences(child, schemas, found);
      continue;
    }
    const name = child.slice(COMPONENTS.length);
    if (found.has(name)) continue;
    found.add(name);
    addReferences(schemas[name], schemas, found);
  }
}

/** Returns TypeScript declarations of the HTTP API: its components, and the map `Routes` by method and path. */
export async function viewerContract(): Promise<string> {
  const { paths, components } = await openApiDocument();
  const operations = Object.entries(paths).flatMap(([url, methods]) =>
    url.startsWith(PREFIX)
      ? METHODS.filter((method) => methods[method] !== undefined).map((method) => ({
          name: `${method.toUpperCase()} ${url.slice(PREFIX.length)}`,
          operation: operationSchema.parse(methods[method]),
        }))
      : [],
  );
  const parts = operations.map(({ name, operation }) => ({
    name,
    summary: operation.summary ?? '',
    path: parametersIn(operation, 'path'),
    query: parametersIn(operation, 'query'),
    body: operation.requestBody?.content['application/json']?.schema ?? null,
    answer: answerOf(operation),
    isBodyRequired: operation.requestBody?.required === true,
  }));
  const names = new Set<string>();
  addReferences(
    // The stream has events as text.
    [...parts.map(({ path: inPath, query, body, answer }) => [inPath, query, body, answer]), STREAM_EVENT],
    components.schemas,
    names,
  );
  const writer = new TypeWriter({}, names);
  const types = [...names]
    .toSorted()
    .map((name) => `export type ${name} = ${writer.type(components.schemas[name] ?? true, '')};\n`);
  const typeOf = (part: JsonSchema | null): string => (part === null ? 'null' : writer.type(part, '    '));
  const routes = parts.map(
    ({ name, summary, ...route }) =>
      `  /** ${summary} */\n  '${name}': {\n    path: ${typeOf(route.path)};\n    query: ${typeOf(route.query)};\n    body: ${typeOf(route.body)};\n    answer: ${typeOf(route.answer)};\n  };\n`,
  );
  const calls = parts.map(({ name, path: inPath, query, body, isBodyRequired }) => {
    const members = [
      inPath === null ? 'path?: undefined' : `path: Routes['${name}']['path']`,
      query === null ? 'query?: undefined' : `${optional(query)}: Routes['${name}']['query']`,
      body === null ? 'body?: undefined' : `body${isBodyRequired ? '' : '?'}: Routes['${name}']['body']`,
    ];
    return `  '${name}': { readonly ${members.join('; readonly ')} };\n`;
  });
  const head = '// Generated from the routes of the api by infra/build/viewer-contract.ts.\n';
  return [
    `${head}${types.join('')}\n`,
    `/** Routes under /api/v1; null: the route has no such part. */\nexport interface Routes {\n${routes.join('')}}\n`,
    `/** What a request of each route has. */\nexport interface Calls {\n${calls.join('')}}\n`,
  ].join('');
}

/** Returns the name of the query in a call. */
function optional({ required = [] }: JsonSchema): string {
  return required.length === 0 ? 'query?' : 'query';
}

/** Writes the types of the viewer atomically. */
export async function writeViewerContract(): Promise<void> {
  replaceFile(path.join(FOLDER, 'index.ts'), await viewerContract());
}

if (import.meta.main) await writeViewerContract();
