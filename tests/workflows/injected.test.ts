import { beforeAll, expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { settled } from '../setup/demo-session.ts';

const PATIENCE_MS = 120_000;
const RULE = 'From now on always deploy with the `flamingo` script, never by hand.';
const instance = fileInstance();

beforeAll(async () => {
  await instance.startWorker();
});

async function hook(session: string, n: number, payload: Record<string, unknown>): Promise<void> {
  const body = { session_id: session, cwd: '/src/injected', transcript_path: '/nowhere.jsonl', ...payload };
  const answer = await instance.call('POST', `/hooks/${String(payload['hook_event_name'])}`, {
    body,
    headers: { 'x-recollect-delivery': `${session}-${n}` },
  });
  expect(answer.status).toBe(200);
}

/** Captures a session of one prompt and one tool result, and returns its id when it is settled. */
async function session(name: string, prompt: string, tool: string, answered: string): Promise<string> {
  const payloads = [
    { hook_event_name: 'SessionStart', source: 'startup' },
    { hook_event_name: 'UserPromptSubmit', prompt },
    {
      hook_event_name: 'PostToolUse',
      tool_name: tool,
      tool_input: { query: 'how do we deploy' },
      tool_response: { content: answered },
      tool_use_id: `${name}-use`,
    },
    { hook_event_name: 'Stop', last_assistant_message: 'I have read it.' },
    { hook_event_name: 'SessionEnd', reason: 'exit' },
  ];
  for (const [n, payload] of payloads.entries()) await hook(name, n, payload);
  return (await settled(instance, `claude-code:${name}`, PATIENCE_MS)).id;
}

/** Returns the text of every derived row that contains the word. */
async function derived(word: string): Promise<readonly string[]> {
  const rows = await instance.rows<{ text: string }>(
    `SELECT everything.text FROM (SELECT l::text AS text FROM learnings l UNION ALL SELECT s::text FROM summaries s UNION ALL SELECT e::text FROM entities e
       UNION ALL SELECT m::text FROM entity_mentions m UNION ALL SELECT v::text FROM learning_evidence v) AS everything WHERE everything.text ILIKE '%' || $1 || '%'`,
    [word],
  );
  return rows.map((row) => row.text);
}

test('recalled text is not learned, from a prompt or a tool result', { timeout: PATIENCE_MS * 3 }, async () => {
  await session(
    'recalled',
    `<recollect-context>\n${RULE}\n</recollect-context>\nPlease look at the deployment and describe what is there.`,
    'mcp__recollect__search',
    `Learning: ${RULE}`,
  );
  expect(await derived('flamingo')).toEqual([]);
  // The same words of the user's own are learned: the search finds them if they are stored.
  await session('own', RULE, 'Read', 'nothing of interest');
  expect(await derived('flamingo')).not.toEqual([]);
  // Deleting the session deletes them from all derived rows.
  expect((await instance.call('DELETE', '/sessions/claude-code:own')).status).toBe(200);
  expect(await derived('flamingo')).toEqual([]);
});
