import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { idIn, inTime } from './answers.ts';
import type { ContractRequest } from './openapi.ts';

const jobSchema = z.object({ state: z.string() });
/** A file that is stored, and found to be no export by its job. */
const FILE = { raw: Buffer.from('no file'), headers: { 'content-type': 'application/zstd' } };

async function ended(instance: TestInstance, address: string): Promise<void> {
  await untilTrue(async () => jobSchema.parse((await instance.get(address)).body).state !== 'running');
}

/** Creates an erasure, an import, and exports, one with a file and one (`goneId`) without; all have ended. */
export async function seedGdpr(instance: TestInstance, memoryId: string) {
  const body = { type: 'prompt', host: 'test', session_id: 'to-erase', infer: false, content: 'soon erased' };
  await instance.post('/events', body);
  const opened = async (path: string, options: object) =>
    idIn(await inTime(() => instance.call('POST', path, options)));
  const exportId = await opened('/exports', { body: { scope: 'session', subject: 'test:to-erase' } });
  await ended(instance, `/exports/${exportId}`);
  const erasureId = await opened('/gdpr/erase', { body: { kind: 'session', session: 'test:to-erase' } });
  await ended(instance, `/gdpr/requests/${erasureId}`);
  const importId = await opened('/imports/files', FILE);
  await ended(instance, `/imports/files/${importId}`);
  // An erasure deletes every export that existed before it.
  const later = await opened('/gdpr/export', { body: {} });
  await ended(instance, `/exports/${later}`);
  const { key } = await instance.user();
  const waiting = () => opened('/gdpr/erase', { key, body: { kind: 'text', text: 'a text of another user' } });
  const requests = { declinedId: await waiting(), extendedId: await waiting() };
  return { erasureId, exportId: later, goneId: exportId, importId, memoryId, ...requests };
}

type GdprIds = Awaited<ReturnType<typeof seedGdpr>>;

/** A success of every GDPR route, and of exports and their imports. */
export function gdprSuccesses({
  erasureId,
  exportId,
  importId,
  memoryId,
  declinedId,
  extendedId,
}: GdprIds): ContractRequest[] {
  const until = '2999-01-01T00:00:00Z';
  return [
    ['post /gdpr/restrict', '/gdpr/restrict', { body: { session: 'test:cut', until } }],
    ['delete /gdpr/restrict', '/gdpr/restrict?session=test%3Acut'],
    ['post /gdpr/rectify', '/gdpr/rectify', { body: { id: memoryId, correction: { title: 'Corrected' } } }],
    // Before an erasure, which removes the files of exports.
    ['get /exports/{id}', `/exports/${exportId}`],
    ['get /exports/{id}/file', `/exports/${exportId}/file`],
    ['post /gdpr/erase', '/gdpr/erase', { body: { kind: 'text', text: 'a text that occurs nowhere', dry_run: true } }],
    ['post /gdpr/erase', '/gdpr/erase', { body: { kind: 'text', text: 'a text that occurs nowhere' } }],
    ['get /gdpr/requests', '/gdpr/requests?limit=5'],
    ['get /gdpr/requests/{id}', `/gdpr/requests/${erasureId}`],
    [
      'post /gdpr/requests/{id}/decide',
      `/gdpr/requests/${declinedId}/decide`,
      { body: { decision: 'decline', reason: 'no' } },
    ],
    ['post /gdpr/requests/{id}/extend', `/gdpr/requests/${extendedId}/extend`, { body: { days: 7, reason: 'many' } }],
    ['post /gdpr/export', '/gdpr/export', { body: {} }],
    ['post /exports', '/exports', { body: { scope: 'session', subject: 'test:cut' } }],
    ['get /exports', '/exports?limit=1'],
    ['post /imports/files', '/imports/files', FILE],
    ['get /imports/files', '/imports/files?limit=1'],
    ['get /imports/files/{id}', `/imports/files/${importId}`],
  ];
}

/** A refusal of each. */
export function gdprFailures(reader: string, { goneId }: GdprIds): ContractRequest[] {
  const none = newId();
  return [
    ['post /gdpr/restrict', '/gdpr/restrict', { body: { until: 'soon' } }],
    ['delete /gdpr/restrict', '/gdpr/restrict'],
    ['post /gdpr/rectify', '/gdpr/rectify', { body: { id: none, correction: { title: 'Corrected' } } }],
    ['post /gdpr/erase', '/gdpr/erase', { body: { kind: 'text', text: 'short' } }],
    ['post /gdpr/erase', '/gdpr/erase', { key: reader, body: { kind: 'user' } }],
    ['get /gdpr/requests', '/gdpr/requests?limit=0'],
    ['get /gdpr/requests/{id}', `/gdpr/requests/${none}`],
    ['post /gdpr/requests/{id}/decide', `/gdpr/requests/${none}/decide`, { body: { decision: 'approve' } }],
    ['post /gdpr/requests/{id}/extend', `/gdpr/requests/${none}/extend`, { body: { days: 0, reason: 'many' } }],
    ['post /gdpr/export', '/gdpr/export', { body: { user: 'unknown' } }],
    ['post /exports', '/exports', { body: { scope: 'project' } }],
    ['get /exports/{id}', `/exports/${none}`],
    ['get /exports/{id}/file', `/exports/${goneId}/file`],
    ['post /imports/files', '/imports/files', { body: {} }],
    ['get /imports/files/{id}', `/imports/files/${none}`],
  ];
}
