import { expect, test } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();

/** NUL, halves of a surrogate pair, and bytes that are no UTF-8. */
const ODD_ADDRESSES = ['a%00b', '%ff', '%ed%a0%80'];
const ODD_JSON = String.raw`"a\u0000b\ud800"`;

const parameter = z.object({ name: z.string(), in: z.string() });
const operation = z.looseObject({
  parameters: z.array(parameter).default([]),
  requestBody: z.looseObject({ content: z.record(z.string(), z.unknown()) }).optional(),
});
const contract = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

interface Route {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly fields: readonly string[];
}

/** Names of every property anywhere in a schema; a reference to a component is followed once. */
function fieldsOf(
  schema: unknown,
  components: Readonly<Record<string, unknown>>,
  found = new Set<string>(),
): Set<string> {
  if (Array.isArray(schema)) for (const entry of schema) fieldsOf(entry, components, found);
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return found;
  for (const [name, value] of Object.entries(schema)) {
    if (name === '$ref' && typeof value === 'string' && !found.has(value)) {
      found.add(value);
      fieldsOf(components[value.split('/').at(-1) ?? ''], components, found);
    }
    if (name === 'properties' && value !== null && typeof value === 'object')
      for (const property of Object.keys(value)) found.add(property);
    fieldsOf(value, components, found);
  }
  return found;
}

async function routes(): Promise<readonly Route[]> {
  const { paths, components } = contract.parse((await instance.get('/openapi.json')).body);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/^\/api\/v1/, ''),
      query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      fields:
        requestBody?.content['application/json'] === undefined
          ? []
          : [...fieldsOf(requestBody.content['application/json'], components.schemas)].filter(
              (name) => !name.startsWith('#'),
            ),
    })),
  );
}

/** Every route with one odd text: in its path, in its query, and in each field of its body alone and in all of them. */
function requestsOf({ method, path, query, fields }: Route): { method: string; path: string; raw?: string }[] {
  const plain = path.replaceAll(/\{[^}]+\}/g, 'x');
  const body = fields.length === 0 && method !== 'POST' && method !== 'PUT' ? {} : { raw: '{}' };
  const inPath =
    path === plain ? [] : ODD_ADDRESSES.map((odd) => ({ method, path: path.replaceAll(/\{[^}]+\}/g, odd), ...body }));
  const inQuery = query.flatMap((name) =>
    ODD_ADDRESSES.flatMap((odd) => [`${name}=${odd}`, `${name}=1&${name}=${odd}`]).map((text) => ({
      method,
      path: `${plain}?${text}`,
      ...body,
    })),
  );
  const all = `{${fields.map((name) => `${JSON.stringify(name)}:${ODD_JSON}`).join(',')}}`;
  const inBody =
    fields.length === 0
      ? []
      : [
          ...fields.map((name) => `{${JSON.stringify(name)}:${ODD_JSON}}`),
          all,
          `[${all}]`,
          ODD_JSON,
          String.raw`{"a\u0000\udfff":[${ODD_JSON}]}`,
        ].map((raw) => ({ method, path: plain, raw }));
  return [...inPath, ...inQuery, ...inBody];
}

test('no text in any path, query or body ends in a server error', async () => {
  const all = await routes();
  expect(all.length).toBeGreaterThan(80);
  const failed: string[] = [];
  for (const route of all)
    await Promise.all(
      requestsOf(route).map(async ({ method, path, raw }) => {
        const { status } = await instance.call(method, path, raw === undefined ? {} : { raw });
        if (status >= 500 && status !== 503) failed.push(`${status} ${method} ${path} ${raw ?? ''}`);
      }),
    );
  expect(failed).toEqual([]);
});

test.each<[string, string, string]>([
  ['PUT', '/sessions/x', String.raw`{"title":"a\u0000b\ud800"}`],
  ['PUT', '/admin/settings/capture.exclude', String.raw`["a\u0000b\ud800"]`],
  ['PUT', '/admin/settings/capture.exclude', String.raw`{"value":["a\u0000b\ud800"]}`],
  ['PUT', '/admin/settings/anything%00', String.raw`{"value":{"a\u0000":["\udfff"]}}`],
  ['GET', '/memories/%ff', ''],
  ['GET', '/sessions/a%00b', ''],
])('%s %s', async (method, path, raw) => {
  expect((await instance.call(method, path, raw === '' ? {} : { raw })).status).toBeLessThan(500);
});
