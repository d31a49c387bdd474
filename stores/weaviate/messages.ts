import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { FIRST_ID } from '../../domain/ids.ts';
import type { ExportedObject } from '../../domain/ports/vector-index.ts';
import type { Condition } from './filters.ts';
import { VECTOR_NAME } from './schema.ts';

const { root } = protobuf.parse(readFileSync(new URL('weaviate.proto', import.meta.url), 'utf8'));
const SearchRequest = root.lookupType('weaviate.v1.SearchRequest');
const SearchReply = root.lookupType('weaviate.v1.SearchReply');
const BatchObjectsRequest = root.lookupType('weaviate.v1.BatchObjectsRequest');
const BatchObjectsReply = root.lookupType('weaviate.v1.BatchObjectsReply');

/** Value of a property: its one own key is the field that is set. */
interface Value {
  readonly listValue: { readonly textValues: { readonly values: string[] } | null } | null;
  readonly [scalar: string]: unknown;
}

/** SearchReply of weaviate.proto: absent scalars are 0 or '', absent messages null. */
interface Found {
  readonly results: readonly {
    readonly properties: { readonly nonRefProps: { readonly fields: Readonly<Record<string, Value>> } | null } | null;
    readonly metadata: {
      readonly id: string;
      readonly distance: number;
      readonly score: number;
      readonly vectors: readonly { readonly vectorBytes: Uint8Array }[];
    } | null;
  }[];
}

interface Rejected {
  readonly errors: readonly { readonly index: number; readonly error: string }[];
}

const isFound = (message: object): message is Found => message instanceof SearchReply.ctor;
const isRejected = (message: object): message is Rejected => message instanceof BatchObjectsReply.ctor;

/** @throws Error for bytes that are no SearchReply */
function resultsOf(reply: Uint8Array): Found['results'] {
  const message = SearchReply.decode(reply);
  return isFound(message) ? message.results : [];
}

const SINGLE_FP32 = 1;

/** Vectors are little-endian in memory, as on all processors of Node, and in messages: no number is converted. */
function vectorMessage({ buffer, byteOffset, byteLength }: Float32Array) {
  return { vectorBytes: new Uint8Array(buffer, byteOffset, byteLength), type: SINGLE_FP32 };
}

/** A search of one tenant of one collection. */
export interface SearchMessage {
  readonly collection: string;
  readonly tenant: string;
  readonly limit: number;
  /** All of them must be true. */
  readonly conditions: readonly Condition[];
  readonly by:
    | { readonly kind: 'keyword'; readonly words: string; readonly properties: readonly string[] }
    | { readonly kind: 'nearest'; readonly vector: Float32Array; readonly vectorName: string };
}

/** A page of a tenant's objects in the order of their ids. */
export interface PageMessage {
  readonly collection: string;
  readonly tenant: string;
  /** Objects after this one; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
}

/** An object of a search result. */
export interface FoundObject {
  readonly objectId: string;
  /** BM25; 0 for a search by vector. */
  readonly score: number;
  /** Cosine distance; 0 for a search by words. */
  readonly distance: number;
}

const OPERATORS = {
  equal: 1,
  notEqual: 2,
  greaterOrEqual: 4,
  less: 5,
  lessOrEqual: 6,
  and: 7,
  containsAny: 12,
  containsAll: 13,
} as const;

/** Without these flags the server responds in an older form. */
const CURRENT_FORM = { uses_123Api: true, uses_125Api: true, uses_127Api: true };

function filtersOf(conditions: readonly Condition[]) {
  const filters = conditions.map(({ property, operator, value }) => ({
    operator: OPERATORS[operator],
    ...(typeof value === 'string' ? { valueText: value } : { valueTextArray: { values: value } }),
    target: { property },
  }));
  return filters.length > 1 ? { operator: OPERATORS.and, filters } : filters[0];
}

/** Returns a SearchRequest as bytes. */
export function encodeSearch({ conditions, by, ...rest }: SearchMessage): Uint8Array {
  return SearchRequest.encode({
    ...rest,
    ...CURRENT_FORM,
    // Without this message the server would return all properties.
    properties: {},
    metadata: { uuid: true, ...(by.kind === 'keyword' ? { score: true } : { distance: true }) },
    filters: filtersOf(conditions),
    ...(by.kind === 'keyword'
      ? { bm25Search: { query: by.words, properties: by.properties } }
      : { nearVector: { targets: { targetVectors: [by.vectorName] }, vectors: [vectorMessage(by.vector)] } }),
  }).finish();
}

/** Returns a SearchRequest for a page as bytes. Without an id in `after` the server would not sort by id; no object has the first id. */
export function encodePage({ after, ...rest }: PageMessage): Uint8Array {
  return SearchRequest.encode({
    ...rest,
    ...CURRENT_FORM,
    properties: { returnAllNonrefProperties: true },
    metadata: { uuid: true, vectors: [VECTOR_NAME] },
    after: after ?? FIRST_ID,
  }).finish();
}

/** Passes each property of a result to `take`; skips values of types that our collections do not have. */
function eachValue({ properties }: Found['results'][number], take: (name: string, value: unknown) => void): void {
  const fields = properties?.nonRefProps?.fields ?? {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const [kind] = Object.keys(value ?? {});
    if (value === undefined || kind === undefined) continue;
    if (kind === 'listValue') take(name, value.listValue?.textValues?.values ?? []);
    else take(name, kind === 'intValue' ? Number(value[kind]) : value[kind]);
  }
}

/** Returns the objects of a SearchReply, best first. @throws Error for other bytes */
export function decodeFound(reply: Uint8Array): FoundObject[] {
  return resultsOf(reply).map(({ metadata }) => ({
    objectId: metadata?.id ?? '',
    score: metadata?.score ?? 0,
    distance: metadata?.distance ?? 0,
  }));
}

/** Returns the objects of a page's SearchReply in their order. @throws Error for other bytes */
export function decodePage(reply: Uint8Array): ExportedObject[] {
  return resultsOf(reply).map((result) => {
    const properties: Record<string, unknown> = {};
    eachValue(result, (name, value) => {
      properties[name] = value;
    });
    const bytes = result.metadata?.vectors[0]?.vectorBytes ?? new Uint8Array();
    // Copied: in the reply a vector can begin where a Float32Array cannot.
    return { objectId: result.metadata?.id ?? '', properties, vector: new Float32Array(Uint8Array.from(bytes).buffer) };
  });
}

function propertiesMessage(properties: ExportedObject['properties']) {
  const [fields, textArrayProperties, emptyListProps]: [Record<string, object>, object[], string[]] = [{}, [], []];
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'string') fields[name] = { stringValue: value };
    else if (typeof value === 'number') fields[name] = { numberValue: value };
    else if (typeof value === 'boolean') fields[name] = { boolValue: value };
    else if (Array.isArray(value)) {
      const values = value.filter((one) => typeof one === 'string');
      if (values.length === 0) emptyListProps.push(name);
      else textArrayProperties.push({ values, propName: name });
    }
  }
  return { nonRefProperties: { fields }, textArrayProperties, emptyListProps };
}

/** Returns a BatchObjectsRequest as bytes. Vectors are sent as floats: four bytes a number, about eleven as JSON. */
export function encodeBatch(collection: string, tenant: string, objects: readonly ExportedObject[]): Uint8Array {
  return BatchObjectsRequest.encode({
    objects: objects.map(({ objectId, properties, vector }) => ({
      uuid: objectId,
      properties: propertiesMessage(properties),
      collection,
      tenant,
      vectors: [{ name: VECTOR_NAME, ...vectorMessage(vector) }],
    })),
  }).finish();
}

/** Returns the rejected objects of a BatchObjectsReply, by their position in the request. @throws Error for other bytes */
export function decodeBatchErrors(reply: Uint8Array): Rejected['errors'] {
  const message = BatchObjectsReply.decode(reply);
  return isRejected(message) ? message.errors : [];
}
