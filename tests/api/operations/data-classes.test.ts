import { readFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { exportSchema } from '../../../contract/gdpr.ts';
import { providerSettings, startMessagesServer } from '../../models/claude/messages-server.ts';
import type { TestUser } from '../../setup/database.ts';
import { settled } from '../../setup/demo-session.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { vectorsAtRest } from '../../setup/vectors-at-rest.ts';
import { alnum } from '../../domain/redaction/made-up.ts';
import { expectError, inTime } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

/** A prompt of each class that detectors set, with a word that is in no other. */
const PROMPTS = {
  internal: ['pelican', 'The pelican deploys the harbour every Friday evening'],
  sensitive: ['heron', 'The heron answers harbour mail at heron.keeper@birdwatch.io'],
  confidential: ['walrus', `The walrus opens the harbour gate with ghp_${alnum(36)}`],
  restricted: ['ostrich', 'The ostrich pays the harbour fee with 4111 1111 1111 1111'],
} as const;
type Found = keyof typeof PROMPTS;
/** What leaves the instance by class, with default settings. */
const LEAVES: Readonly<Record<Found, readonly string[]>> = {
  internal: ['model', 'context', 'admin', 'admin, restricted', 'owner'],
  sensitive: ['context', 'admin', 'admin, restricted', 'owner'],
  confidential: ['context', 'admin', 'admin, restricted', 'owner'],
  restricted: ['admin, restricted', 'owner'],
};
const model = await startMessagesServer({ author: true });
let here: TestInstance;
let writer: TestUser;

beforeAll(async () => {
  here = await startTestInstance(providerSettings(model));
  await here.startWorker();
  writer = await here.user();
  const project = { path: '/src/harbour' };
  for (const [, content] of Object.values(PROMPTS))
    await here.post('/events', promptEvent('classes', content, { project }), writer.key);
  await inTime(() => here.post('/sessions/test:classes/close', {}, writer.key));
  await settled(here, 'test:classes');
  await vectorsAtRest(here);
});
afterAll(async () => {
  await here.close();
  await model.close();
});

/** Returns the prompts in the file of an export. */
async function exported(body: object, key: string): Promise<string> {
  const { id } = exportSchema.parse((await here.post('/exports', body, key)).body);
  await until(
    async () => ((await here.get(`/exports/${id}`, key)).body as { state: string }).state !== 'running' || undefined,
  );
  const file = path.join(here.config.archive.address ?? '', 'exports', here.admin.tenantId, `${id}.ndjson.zst`);
  const lines = zstdDecompressSync(readFileSync(file)).toString('utf8').split('\n');
  return lines.filter((line) => line.startsWith('{"table":"prompts"')).join('\n');
}

async function servedFor(word: string, content: string): Promise<string> {
  const body = {
    purpose: 'prompt',
    project: '/src/harbour',
    prompt: `${word}: ${content.split(' with ')[0] ?? ''}`,
    budget_tokens: 2_000,
  };
  return z.object({ text: z.string() }).parse((await here.post('/context', body, writer.key)).body).text;
}

test('each class leaves the instance by the allowed ways only', async () => {
  const ways: Record<string, string> = {
    model: JSON.stringify(model.requests),
    context: '',
    admin: await exported({ scope: 'tenant' }, here.admin.key),
    'admin, restricted': await exported({ scope: 'tenant', include_restricted: true }, here.admin.key),
    owner: await exported({ scope: 'user' }, writer.key),
  };
  for (const [word, content] of Object.values(PROMPTS)) ways['context'] += await servedFor(word, content);
  const found = Object.entries(PROMPTS).map(([name, [word]]) => [
    name,
    Object.keys(ways).filter((way) => ways[way]?.includes(word)),
  ]);
  expect(Object.fromEntries(found)).toEqual(LEAVES);
});

const namesIn = (body: unknown) => JSON.stringify(body);

test('names that only restricted rows mention are not shared, and those of sensitive rows are not sent to the model', async () => {
  const project = { path: '/src/named' };
  const send = (event: object) =>
    here.post('/events', { host: 'test', session_id: 'named', project, ...event }, writer.key);
  const card = 'card 4111 1111 1111 1111';
  const read = (name: string, response: string) => ({
    name: 'Read',
    input: { file_path: `/src/named/${name}` },
    response,
  });
  await send({ type: 'prompt', content: 'Read the files of the harbour' });
  await send({ type: 'observation', tool: read('pelican.ts', 'export const pelican = 1;') });
  await send({ type: 'observation', tool: read('heron.ts', 'ask heron.keeper@birdwatch.io') });
  await send({ type: 'observation', tool: read('customers/ostrich.csv', `Ostrich, ${card}`) });
  const failed = { name: 'Bash', input: { command: 'npm test' }, error: `OstrichPaymentError: ${card} was refused` };
  await send({ type: 'observation', tool: failed });
  for (const words of ['Look at', 'Look again at'])
    await send({ type: 'prompt', content: `${words} \`ostrichLedger\` for ${card}` });
  expect(await inTime(() => here.post('/sessions/test:named/close', {}, writer.key))).toMatchObject({ status: 202 });
  const { id } = await settled(here, 'test:named');

  const other = await here.user();
  const graph = namesIn((await here.get('/graph?limit=200', other.key)).body);
  const summaries = namesIn((await here.get(`/sessions/${id}/summaries`, other.key)).body);
  for (const shown of [graph, summaries]) {
    expect(shown).toContain('pelican.ts');
    expect(shown).toContain('heron.ts');
    expect(shown).not.toMatch(/ostrich/iu);
  }
  expect(namesIn((await here.get('/search/suggest?q=ostrich', other.key)).body)).not.toMatch(/ostrich/iu);
  const before = model.requests.length;
  await here.post('/events', promptEvent('named-after', 'Continue with the harbour', { project }), writer.key);
  expect(await inTime(() => here.post('/sessions/test:named-after/close', {}, writer.key))).toMatchObject({
    status: 202,
  });
  await settled(here, 'test:named-after');
  const sent = namesIn(model.requests.slice(before));
  expect(sent).toContain('pelican.ts');
  expect(sent).not.toMatch(/heron|ostrich/iu);
});

test('only an admin exports restricted rows of others', async () => {
  for (const route of ['/exports', '/gdpr/export']) {
    const body = { ...(route === '/exports' ? { scope: 'user' } : {}), include_restricted: true };
    expectError(await here.post(route, body, writer.key), 'FORBIDDEN');
    expectError(
      await here.post(route, { ...body, include_restricted: 'yes' }, here.admin.key),
      'VALIDATION_FAILED',
      'include_restricted',
    );
  }
});
