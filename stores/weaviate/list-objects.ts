import { z } from 'zod';
import type { IndexChunk, ListedObject } from '../../domain/ports/vector-index.ts';
import { chunkObject } from './chunk-objects.ts';
import { NotThere, reportsMissing } from './connection.ts';

interface ObjectSource {
  /** REST address of the server. */
  readonly url: string;
  readonly apiKey: string;
  readonly timeoutSeconds: number;
}

interface ObjectPage {
  readonly collection: string;
  readonly tenant: string;
  /** Objects after this one; '' for the first page. */
  readonly after: string;
  readonly limit: number;
}

/**
 * Returns a page of a tenant's objects in the order of their ids, from JSON: without the client, whose readers cost more than the server and
 * which truncates times to milliseconds. @throws NotThere, Error without a response
 */
async function readObjectPage(
  { url, apiKey, timeoutSeconds }: ObjectSource,
  { collection, tenant, after, limit }: ObjectPage,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const address = new URL('v1/objects', url.endsWith('/') ? url : `${url}/`);
  const query = new URLSearchParams({ class: collection, tenant, limit: String(limit), after });
  address.search = query.toString();
  const timeout = AbortSignal.timeout(timeoutSeconds * 1_000);
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const text = await response.text();
  // In words that the connection knows: whatever else is thrown there counts as an outage.
  if (response.status === 404 || (!response.ok && reportsMissing(text))) throw new NotThere('tenant not found');
  if (!response.ok) throw new Error(`reading objects answered ${response.status}`);
  return JSON.parse(text);
}

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
