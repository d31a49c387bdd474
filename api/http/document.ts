import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { DOCS_PREFIX } from '../auth.ts';
import { addLinks, operationIdOf } from '../links.ts';

/** Registers the OpenAPI document, which is made of the schemas of the routes, and its browsable page. Before the routes. */
export async function registerDocument(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Recollect', description: 'Durable memory for coding agents', version },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: (input) => {
      const { schema, url } = jsonSchemaTransform(input);
      const operationId = operationIdOf(String(input.route.method), url);
      const open = input.route.config?.access === 'open' ? { security: [] } : {};
      return { schema: { ...schema, operationId, ...open }, url };
    },
    transformObject: (input) => {
      const document = jsonSchemaTransformObject(input);
      if ('paths' in document) addLinks(document.paths);
      return document;
    },
  });
  await app.register(swaggerUi, {
    routePrefix: DOCS_PREFIX,
    staticCSP: true,
    // All that the page needs is served here, over plain HTTP.
    transformStaticCSP: (policy) =>
      policy.replaceAll(/ https:| validator\.swagger\.io| upgrade-insecure-requests;/g, ''),
  });
}
