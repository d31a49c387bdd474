import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { ImportApi } from '../../../cli/import/import-api.ts';
import { streamTranscripts } from '../../../cli/import/stream-import.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured } from '../../setup/small-session.ts';
import { transcriptFolderOf } from '../../transcripts/folder.ts';
import { INJECTION_TEXTS } from '../injection-texts.ts';
import type { InjectionText } from '../injection-texts.ts';

/** The project of all captures, except texts that have a project of their own. */
export const ROOT = '/src/injection';
/** Returns the word that occurs in every capture of a group, and nowhere else. */
export const markOf = (n: number): string => `zorblat${String.fromCodePoint(97 + n, 97 + n)}`;
/** Returns the folder of the project that is named after a group. */
export const namedRoot = (n: number): string => `/src/named/${markOf(n)}`;
export const fileOf = (n: number): string => `${ROOT}/src/${markOf(n)}.ts`;

/** Words that identify the way by which a sentence was captured. */
const WAYS_IN: readonly string[] =
  'prompted printed edited called evented noted answered transcribed remembered corrected dictated'.split(' ');

/** Texts that are captured together: one by one would take minutes longer. */
const TOGETHER = 3;
/** Groups of texts; their index is the number `n` everywhere here. */
export const GROUPS: readonly (readonly InjectionText[])[] = Array.from(
  { length: Math.ceil(INJECTION_TEXTS.length / TOGETHER) },
  (_, n) => INJECTION_TEXTS.slice(n * TOGETHER, (n + 1) * TOGETHER),
);
const numbers = GROUPS.map((_, n) => n);

/** Returns the texts of a group, rotated by way: a preview shows only the first. */
function textsOf(n: number, way: string): readonly string[] {
  const texts = (GROUPS[n] ?? []).map(({ text }) => text);
  const first = WAYS_IN.indexOf(way) % TOGETHER;
  return [...texts.slice(first), ...texts.slice(0, first)];
}

/** Returns sentences that searches find by their mark, with the texts between them. */
function sentences(n: number, way: string): string {
  const texts = textsOf(n, way).join('\n');
  return `The gateway of ${markOf(n)} fails ${way} at night.\n${texts}\nThe report of ${markOf(n)} ${way} shows this.`;
}

/** Returns the texts at the length of a name or a title. */
const named = (n: number, way: string): string =>
  `${markOf(n)} ${textsOf(n, way)
    .map((text) => text.slice(0, 60).toWellFormed())
    .join(' ')}`;
const tagsOf = (n: number): readonly string[] => textsOf(n, 'prompted').map((text) => text.slice(0, 60).toWellFormed());

type Body = Readonly<Record<string, unknown>>;

/** Sends a hook; returns the response. @throws Error unless it is stored */
export async function hooked(instance: TestInstance, event: string, session: string, body: Body, cwd = ROOT) {
  const answer = await instance.call('POST', `/hooks/${event}`, {
    body: { session_id: session, cwd, hook_event_name: event, ...body },
  });
  if (answer.status !== 200) throw new Error(`${event}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function byHooks(instance: TestInstance): Promise<void> {
  const hook = (event: string, body: Body) => hooked(instance, event, 'hooks', body);
  await hook('SessionStart', { source: 'startup', root: ROOT });
  for (const n of numbers) {
    await hook('UserPromptSubmit', { prompt: sentences(n, 'prompted') });
    const use = { tool_use_id: `use-${n}`, tool_name: 'Bash', tool_input: { command: `report ${markOf(n)}` } };
    await hook('PostToolUse', { ...use, tool_response: { stdout: sentences(n, 'printed'), stderr: '' } });
    await hook('PostToolUse', {
      tool_use_id: `edit-${n}`,
      tool_name: 'Edit',
      tool_input: { file_path: fileOf(n), old_string: 'x', new_string: sentences(n, 'edited') },
      tool_response: 'completed',
    });
    await hook('PostToolUse', {
      tool_use_id: `named-${n}`,
      tool_name: named(n, 'called').replace(' ', '\n'),
      tool_input: { file_path: `${ROOT}/${named(n, 'called')}` },
      tool_response: `The gateway of ${markOf(n)} fails called at night.`,
    });
  }
  await hook('Stop', { last_assistant_message: 'I have read every gateway report.' });
  await hook('SessionEnd', { reason: 'exit' });
}

async function byEvents(instance: TestInstance): Promise<void> {
  const base = { host: 'test', session_id: 'events', project: { path: ROOT } };
  const prompts = numbers.map((n) => ({
    ...base,
    type: 'prompt',
    content: sentences(n, 'evented'),
    key: `event-${n}`,
  }));
  await captured(instance, prompts);
  const lines = numbers.flatMap((n) => [
    { ...base, type: 'observation', text: sentences(n, 'noted'), tags: tagsOf(n), key: `note-${n}` },
    { ...base, type: 'prompt', role: 'assistant', content: sentences(n, 'answered'), key: `answer-${n}` },
    // The projects that are named after the texts.
    {
      host: 'test',
      session_id: `named-${n}`,
      type: 'session.started',
      key: `named-${n}`,
      project: { path: namedRoot(n), name: named(n, 'noted') },
    },
  ]);
  const batch = await instance.call('POST', '/events/batch', {
    raw: [...lines, { ...base, type: 'session.ended', key: 'events-end' }]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  if (batch.status !== 202 || String(batch.body).includes('"status":"rejected"'))
    throw new Error(`/events/batch: ${batch.status} ${JSON.stringify(batch.body).slice(0, 2_000)}`);
}

async function byTranscript(instance: TestInstance): Promise<void> {
  const folder = transcriptFolderOf();
  const lines = numbers.map((n) => ({
    type: 'user',
    uuid: `transcript-${n}`,
    sessionId: 'transcript',
    cwd: ROOT,
    timestamp: new Date(Date.UTC(2026, 4, 2, 9, n)).toISOString(),
    isSidechain: false,
    message: { role: 'user', content: sentences(n, 'transcribed') },
  }));
  folder.write('-src/transcript.jsonl', lines);
  const { signal } = new AbortController();
  const api = new ImportApi({ url: instance.url, apiKey: instance.admin.key }, signal);
  await streamTranscripts({ api, folder: folder.root, signal, onProgress: () => {} });
  folder.remove();
}

const stored = z.object({ hash: z.string() });
const memory = z.looseObject({ id: z.string() });

async function byHand(instance: TestInstance): Promise<void> {
  const must = async (method: string, path: string, body?: Body): Promise<unknown> => {
    const answer = await instance.call(method, path, body === undefined ? {} : { body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const remembered = async (n: number, way: string, more: Body = {}): Promise<string> =>
    stored.parse(await must('POST', '/memories', { content: sentences(n, way), project: namedRoot(n), ...more })).hash;
  for (const n of numbers) {
    const hash = await remembered(n, 'remembered', { title: named(n, 'dictated').slice(0, 200), tags: tagsOf(n) });
    // Some texts are captured by a correction.
    if (n % 5 === 0) await must('PUT', `/memories/${hash}`, { content: sentences(n, 'corrected') });
    const { id } = memory.parse(await must('GET', `/memories/${await remembered(n, 'refuted')}`));
    await must('POST', `/learnings/${id}/invalidate`, { reason: named(n, 'edited') });
  }
}

/** Returns the official client over HTTP with the admin's key; the caller closes it. */
export async function mcpClient(instance: TestInstance): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const headers = { authorization: `Bearer ${instance.admin.key}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${instance.url}/mcp`), { requestInit: { headers } }));
  return client;
}

async function byMcp(instance: TestInstance): Promise<void> {
  const client = await mcpClient(instance);
  for (const n of numbers) {
    const given = { content: sentences(n, 'dictated'), tags: [markOf(n)], project: namedRoot(n) };
    const { isError } = await client.callTool({ name: 'remember', arguments: given });
    if (isError === true) throw new Error('remember failed');
  }
  await client.close();
}

/** Captures every text by every way; returns the words that identify the ways. */
export async function captureEverywhere(instance: TestInstance): Promise<readonly string[]> {
  await byEvents(instance);
  await byHooks(instance);
  await byTranscript(instance);
  await byHand(instance);
  await byMcp(instance);
  return WAYS_IN;
}
