import type protobuf from 'protobufjs/minimal.js';
import type { Condition } from './filters.ts';
import { decodeResults, encodeFrame } from './search-frame.ts';
import { nested, readNested, tag, text, WIRE } from './wire.ts';

/** What one search asks of one tenant of one collection. */
export interface SearchMessage {
  readonly collection: string;
  readonly tenant: string;
  readonly limit: number;
  readonly returned: readonly string[];
  /** All of them hold. */
  readonly conditions: readonly Condition[];
  readonly by:
    | { readonly kind: 'keyword'; readonly words: string; readonly properties: readonly string[] }
    | { readonly kind: 'nearest'; readonly vector: Float32Array; readonly vectorName: string };
}

/** An object of the answer: the properties that were asked for, and how well it fits. */
export interface FoundObject {
  readonly properties: ReadonlyMap<string, string | number>;
  /** BM25; 0 for a search by vector. */
  readonly score: number;
  /** Cosine distance; 0 for a search by words. */
  readonly distance: number;
}

// Field numbers: search_get.proto, base_search.proto, base.proto and properties.proto of Weaviate's gRPC API v1.
const REQUEST = { filters: 40, bm25: 42, near: 43 };
const METADATA = { distance: 5, score: 7 };
const BM25 = { query: 1, properties: 2 };
const NEAR = { targets: 6, vectors: 9 };
const VECTORS = { bytes: 3, type: 4 };
const SINGLE_FP32 = 1;
const FILTERS = { operator: 1, filters: 3, text: 4, texts: 9, target: 20 };
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
const RESULT = { properties: 1, metadata: 2 };
const RESULT_METADATA = { distance: 7, score: 11 };
const RESULT_PROPERTIES = { plain: 11 };
const VALUE = { int: 8, text: 13 };

function writeCondition(writer: protobuf.Writer, { property, operator, value }: Condition): void {
  writer.uint32(tag(FILTERS.operator, WIRE.varint)).int32(OPERATORS[operator]);
  if (typeof value === 'string') text(writer, FILTERS.text, value);
  else
    nested(writer, FILTERS.texts, () => {
      for (const one of value) text(writer, 1, one);
    });
  nested(writer, FILTERS.target, () => text(writer, 1, property));
}

function writeFilters(writer: protobuf.Writer, conditions: readonly Condition[]): void {
  const [only] = conditions;
  if (only === undefined) return;
  nested(writer, REQUEST.filters, () => {
    if (conditions.length === 1) {
      writeCondition(writer, only);
      return;
    }
    writer.uint32(tag(FILTERS.operator, WIRE.varint)).int32(OPERATORS.and);
    for (const condition of conditions) nested(writer, FILTERS.filters, () => writeCondition(writer, condition));
  });
}

function writeBy(writer: protobuf.Writer, by: SearchMessage['by']): void {
  if (by.kind === 'keyword')
    nested(writer, REQUEST.bm25, () => {
      text(writer, BM25.query, by.words);
      for (const property of by.properties) text(writer, BM25.properties, property);
    });
  else
    nested(writer, REQUEST.near, () => {
      nested(writer, NEAR.targets, () => text(writer, 1, by.vectorName));
      nested(writer, NEAR.vectors, () => {
        const { buffer, byteOffset, byteLength } = by.vector;
        // Little-endian, as the processors are that Node runs on.
        writer.uint32(tag(VECTORS.bytes, WIRE.length)).bytes(new Uint8Array(buffer, byteOffset, byteLength));
        writer.uint32(tag(VECTORS.type, WIRE.varint)).int32(SINGLE_FP32);
      });
    });
}

/** A SearchRequest as bytes. */
export function encodeSearch({ collection, tenant, limit, returned, conditions, by }: SearchMessage): Uint8Array {
  return encodeFrame({
    collection,
    tenant,
    limit,
    properties: (writer) => {
      for (const property of returned) text(writer, 1, property);
    },
    metadata: (writer) =>
      void writer.uint32(tag(by.kind === 'keyword' ? METADATA.score : METADATA.distance, WIRE.varint)).bool(true),
    rest: (writer) => {
      writeFilters(writer, conditions);
      writeBy(writer, by);
    },
  });
}

function readValue(reader: protobuf.Reader): string | number | undefined {
  let value: string | number | undefined;
  readNested(reader, (fieldTag) => {
    if (fieldTag === tag(VALUE.text, WIRE.length)) value = reader.string();
    else if (fieldTag === tag(VALUE.int, WIRE.varint)) value = Number(reader.int64());
    else return false;
    return true;
  });
  return value;
}

/** One entry of the map of properties. */
function readProperty(reader: protobuf.Reader, properties: Map<string, string | number>): void {
  let name = '';
  let value: string | number | undefined;
  readNested(reader, (fieldTag) => {
    if (fieldTag === tag(1, WIRE.length)) name = reader.string();
    else if (fieldTag === tag(2, WIRE.length)) value = readValue(reader);
    else return false;
    return true;
  });
  if (value !== undefined) properties.set(name, value);
}

function readProperties(reader: protobuf.Reader, properties: Map<string, string | number>): void {
  readNested(reader, (fieldTag) => {
    if (fieldTag !== tag(RESULT_PROPERTIES.plain, WIRE.length)) return false;
    readNested(reader, (entryTag) => {
      if (entryTag !== tag(1, WIRE.length)) return false;
      readProperty(reader, properties);
      return true;
    });
    return true;
  });
}

function readResult(reader: protobuf.Reader): FoundObject {
  const properties = new Map<string, string | number>();
  let score = 0;
  let distance = 0;
  readNested(reader, (fieldTag) => {
    if (fieldTag === tag(RESULT.properties, WIRE.length)) readProperties(reader, properties);
    else if (fieldTag === tag(RESULT.metadata, WIRE.length))
      readNested(reader, (metadataTag) => {
        if (metadataTag === tag(RESULT_METADATA.distance, WIRE.fixed32)) distance = reader.float();
        else if (metadataTag === tag(RESULT_METADATA.score, WIRE.fixed32)) score = reader.float();
        else return false;
        return true;
      });
    else return false;
    return true;
  });
  return { properties, score, distance };
}

/** The objects of a SearchReply, best first. @throws Error for bytes that are none */
export function decodeFound(reply: Uint8Array): FoundObject[] {
  return decodeResults(reply, readResult);
}
