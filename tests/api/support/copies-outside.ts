import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { ImportApi } from '../../../cli/import/import-api.ts';
import { streamTranscripts } from '../../../cli/import/stream-import.ts';
import { appendToSpool } from '../../../hook/spool/append.ts';
import type { DrainReport } from '../../../hook/spool/drain.ts';
import { drainTo, makeDataDir, removeDataDir } from '../../hook/support/client.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { transcriptFolderOf } from '../../transcripts/folder.ts';

/** Sends the text by a session's hook, leaves it in the spool of its machine, and returns what sends both again: the spool, and the transcript. */
export async function copiesOutside(
  here: TestInstance,
  text: string,
): Promise<{ readonly again: () => Promise<DrainReport>; readonly remove: () => void }> {
  const prompt = { session_id: 'elsewhere', cwd: '/src/harbour', prompt: text };
  expect((await here.call('POST', '/hooks/UserPromptSubmit', { body: prompt })).status).toBe(200);
  const dataDir = makeDataDir({ url: here.url, key: here.admin.key });
  const event = { event: 'UserPromptSubmit', host: 'claude-code', namespace: 'default', delivery: randomUUID() };
  appendToSpool(dataDir, { ...event, session: 'elsewhere', server: 'local', body: prompt }, 1e9);
  const transcripts = transcriptFolderOf();
  const line = (n: number, content: string) => ({
    type: 'user',
    uuid: `elsewhere-${n}`,
    sessionId: 'elsewhere',
    cwd: '/src/harbour',
    timestamp: new Date(Date.UTC(2026, 4, 2, 9, n)).toISOString(),
    isSidechain: false,
    message: { role: 'user', content },
  });
  transcripts.write('-src/elsewhere.jsonl', [line(0, text), line(1, 'Is there tea')]);
  const { signal } = new AbortController();
  const api = new ImportApi({ url: here.url, apiKey: here.admin.key }, signal);
  return {
    again: async () => {
      const drained = await drainTo(dataDir);
      await streamTranscripts({ api, folder: transcripts.root, signal, onProgress: () => {} });
      return drained;
    },
    remove: () => {
      removeDataDir(dataDir);
      transcripts.remove();
    },
  };
}
