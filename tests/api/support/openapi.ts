import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import type { ApiAnswer, CallOptions, TestInstance } from '../../setup/instance.ts';
import { inTime } from './answers.ts';

const operation = z.looseObject({
  responses: z.record(
    z.string(),
    z.looseObject({
      content: z.record(z.string(), z.looseObject({ schema: z.record(z.string(), z.unknown()) })).optional(),
    }),
  ),
  security: z.array(z.record(z.string(), z.unknown())).optional(),
  summary: z.string().optional(),
  tags: z.array(z.string()).optional(),
});
export const documentSchema = z.looseObject({
  openapi: z.string(),
  security: z.array(z.record(z.string(), z.unknown())),
  components: z.looseObject({
    schemas: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});
export type OpenApiDocument = z.output<typeof documentSchema>;

export interface Conformance {
  /** Method and path pattern of the operation. */
  readonly operation: string;
  readonly status: number;
  /** What the schema has against the answer; empty when it conforms. */
  readonly faults: readonly string[];
}

/** Compares real responses with the document. */
export class Contract {
  readonly document: OpenApiDocument;
  /** Operations whose success was seen. */
  readonly seen = new Set<string>();
  private readonly ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));

  constructor(document: OpenApiDocument) {
    this.document = document;
  }

  /** Every operation as `get /api/v1/sessions/{id}`. */
  get operations(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
  }

  /** Checks an answer against the schema of its status and content type. A status that the document does not know is a fault, too. */
  check(name: string, answer: ApiAnswer): Conformance {
    const [method = '', path = ''] = name.split(' ');
    const conformance = (...faults: string[]): Conformance => ({ operation: name, status: answer.status, faults });
    const known = this.document.paths[path]?.[method];
    if (known === undefined) return conformance('there is no such operation');
    const content = known.responses[String(answer.status)]?.content;
    if (content === undefined) return conformance('the status is not documented');
    const type = (answer.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
    const schema = content[type]?.schema;
    if (schema === undefined) return conformance(`the content type ${type} is not documented`);
    if (answer.status < 300) this.seen.add(name);
    // References begin at the root of the document, so the schema is compiled beside its components.
    const validate = this.ajv.compile({ ...schema, components: this.document.components });
    return validate(answer.body)
      ? conformance()
      : conformance(...(validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`));
  }
}

/** The document that an instance serves. */
export async function contractOf(instance: TestInstance): Promise<Contract> {
  return new Contract(documentSchema.parse((await instance.call('GET', '/openapi.json', { key: null })).body));
}

/** The operation below `/api/v1`, as `get /sessions/{id}`, the path of a request to it, and its options. */
export type ContractRequest = readonly [operation: string, path: string, options?: CallOptions];

/** Sends a request and checks its answer. */
export async function ask(
  instance: TestInstance,
  contract: Contract,
  [operation, path, options]: ContractRequest,
): Promise<Conformance> {
  const [method = '', pattern = ''] = operation.split(' ');
  const answer = await inTime(() => instance.call(method.toUpperCase(), path, options));
  return contract.check(`${method} /api/v1${pattern}`, answer);
}
