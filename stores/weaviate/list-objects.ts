import { z } from 'zod';
import type { IndexChunk, ListedObject } from '../../domain/ports/vector-index.ts';
import { chunkObject } from './chunk-objects.ts';
import { readObjectPage } from './object-pages.ts';
import type { ObjectSource } from './object-pages.ts';

const object = z.object({ id: z.string(), properties: z.looseObject({ memory_id: z.string().catch('') }) });
const page = z.object({ objects: z.array(object).nullish() });
function presented({ id, properties }: z.output<typeof object>): ListedObject {
  return { objectId: id, memoryId: properties.memory_id, properties };
}

export interface ListedPage {
  readonly tenantId: string;
  /** Id of the last object of the page before. */
  readonly after: string | null;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

/** Returns a page of a tenant's objects in the order of their ids. @throws NotThere, Error without a response */
export async function listObjects(
  source: ObjectSource,
  collection: string,
  { tenantId: tenant, after, limit, signal }: ListedPage,
): Promise<ListedObject[]> {
  const answer = await readObjectPage(source, { collection, tenant, after: after ?? '', limit }, signal);
  return (page.parse(answer).objects ?? []).map(presented);
}

/** A value as it can be compared: no list is an empty one, and a time is a moment, however it is written. */
function comparable(name: string, value: unknown): string {
  if (name === 'occurred_at') return String(value instanceof Date ? value.getTime() : Date.parse(String(value)));
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return '';
  return JSON.stringify(value);
}

/** Returns true if an object equals the one that would be written for this chunk now. */
export function matchesChunk(index: string, chunk: IndexChunk, { properties }: ListedObject): boolean {
  const wanted: Readonly<Record<string, unknown>> = { ...chunkObject(index, chunk).properties };
  const names = new Set([...Object.keys(wanted), ...Object.keys(properties)]);
  return [...names].every((name) => comparable(name, wanted[name]) === comparable(name, properties[name]));
}
