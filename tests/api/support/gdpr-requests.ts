import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import type { ContractRequest } from './openapi.ts';

const V1 = '/api/v1';
const GDPR = `${V1}/gdpr`;
const jobSchema = z.object({ id: z.string(), state: z.string() });
/** A file that is stored, and found to be no export by its job. */
const FILE = { raw: Buffer.from('no file'), headers: { 'content-type': 'application/zstd' } };

/** What the requests name. */
export interface GdprIds {
  readonly erasureId: string;
  /** A completed export, and one whose file is missing. */
  readonly exportId: string;
  readonly goneId: string;
  readonly importId: string;
  /** A memory by hand. */
  readonly memoryId: string;
}

async function ended(instance: TestInstance, address: string): Promise<void> {
  await until(async () => {
    const { state } = jobSchema.parse((await instance.call('GET', address)).body);
    return state === 'running' ? undefined : true;
  });
}

/** An erasure, an export and an import that have ended. */
export async function seedGdpr(instance: TestInstance, memoryId: string): Promise<GdprIds> {
  const body = { type: 'prompt', host: 'test', session_id: 'to-erase', infer: false, content: 'soon erased' };
  await instance.call('POST', '/events', { body });
  const opened = async (path: string, options: object) =>
    jobSchema.parse((await instance.call('POST', path, options)).body).id;
  const exportId = await opened('/exports', { body: { scope: 'session', subject: 'test:to-erase' } });
  await ended(instance, `/exports/${exportId}`);
  const erasureId = await opened('/gdpr/erase', { body: { kind: 'session', session: 'test:to-erase' } });
  await ended(instance, `/gdpr/requests/${erasureId}`);
  const importId = await opened('/imports/files', FILE);
  await ended(instance, `/imports/files/${importId}`);
  // An erasure deletes every export that existed before it.
  const later = await opened('/gdpr/export', { body: {} });
  await ended(instance, `/exports/${later}`);
  return { erasureId, exportId: later, goneId: exportId, importId, memoryId };
}

/** A success of every GDPR route, and of exports and their imports. */
export function gdprSuccesses({ erasureId, exportId, importId, memoryId }: GdprIds): ContractRequest[] {
  const until = '2999-01-01T00:00:00Z';
  return [
    { operation: `post ${GDPR}/restrict`, path: '/gdpr/restrict', options: { body: { session: 'test:cut', until } } },
    { operation: `delete ${GDPR}/restrict`, path: '/gdpr/restrict?session=test%3Acut' },
    {
      operation: `post ${GDPR}/rectify`,
      path: '/gdpr/rectify',
      options: { body: { id: memoryId, correction: { title: 'Corrected' } } },
    },
    {
      operation: `post ${GDPR}/erase`,
      path: '/gdpr/erase',
      options: { body: { kind: 'text', text: 'a text that occurs nowhere', dry_run: true } },
    },
    {
      operation: `post ${GDPR}/erase`,
      path: '/gdpr/erase',
      options: { body: { kind: 'text', text: 'a text that occurs nowhere' } },
    },
    { operation: `get ${GDPR}/requests`, path: '/gdpr/requests?limit=5' },
    { operation: `get ${GDPR}/requests/{id}`, path: `/gdpr/requests/${erasureId}` },
    { operation: `post ${GDPR}/export`, path: '/gdpr/export', options: { body: {} } },
    {
      operation: `post ${V1}/exports`,
      path: '/exports',
      options: { body: { scope: 'session', subject: 'test:cut' } },
    },
    { operation: `get ${V1}/exports/{id}`, path: `/exports/${exportId}` },
    { operation: `get ${V1}/exports/{id}/file`, path: `/exports/${exportId}/file` },
    { operation: `post ${V1}/imports/files`, path: '/imports/files', options: FILE },
    { operation: `get ${V1}/imports/files/{id}`, path: `/imports/files/${importId}` },
  ];
}

/** A refusal of each. */
export function gdprFailures(reader: string, { goneId }: GdprIds): ContractRequest[] {
  const none = newId();
  return [
    { operation: `post ${GDPR}/restrict`, path: '/gdpr/restrict', options: { body: { until: 'soon' } } },
    { operation: `delete ${GDPR}/restrict`, path: '/gdpr/restrict' },
    {
      operation: `post ${GDPR}/rectify`,
      path: '/gdpr/rectify',
      options: { body: { id: none, correction: { title: 'Corrected' } } },
    },
    { operation: `post ${GDPR}/erase`, path: '/gdpr/erase', options: { body: { kind: 'text', text: 'short' } } },
    { operation: `post ${GDPR}/erase`, path: '/gdpr/erase', options: { key: reader, body: { kind: 'user' } } },
    { operation: `get ${GDPR}/requests`, path: '/gdpr/requests?limit=0' },
    { operation: `get ${GDPR}/requests/{id}`, path: `/gdpr/requests/${none}` },
    { operation: `post ${GDPR}/export`, path: '/gdpr/export', options: { body: { user: 'unknown' } } },
    { operation: `post ${V1}/exports`, path: '/exports', options: { body: { scope: 'project' } } },
    { operation: `get ${V1}/exports/{id}`, path: `/exports/${none}` },
    { operation: `get ${V1}/exports/{id}/file`, path: `/exports/${goneId}/file` },
    { operation: `post ${V1}/imports/files`, path: '/imports/files', options: { body: {} } },
    { operation: `get ${V1}/imports/files/{id}`, path: `/imports/files/${none}` },
  ];
}
