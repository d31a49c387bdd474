import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
let sessions = 0;
let session: string;

beforeEach(async () => {
  sessions += 1;
  session = `unwanted-${sessions}`;
  await instance.post('/hooks/SessionStart', { session_id: session, cwd: '/src' });
});

const prompt = (content: string, key = content) => ({
  type: 'prompt',
  host: 'claude-code',
  session_id: session,
  content,
  key,
});

async function forget(what: string): Promise<void> {
  await instance.write(
    "INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) VALUES ($1, 'claude-code', $2, $3)",
    [instance.admin.tenantId, session, createHash('sha256').update(what).digest()],
  );
}

async function switchOff(): Promise<void> {
  await instance.write('UPDATE sessions SET capture = false WHERE external_id = $1', [session]);
}

const storedPrompts = (): Promise<number | undefined> =>
  instance.count('prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1', [session]);

describe.each([
  ['whose session is not captured', 'CAPTURE_DISABLED', switchOff],
  ['that was forgotten', 'EVENT_FORGOTTEN', () => forget('session')],
] as const)('an event %s', (_what, code, arrange) => {
  test('is refused with its own code when it comes alone', async () => {
    await arrange();
    const answer = await instance.post('/events', prompt('a'));
    expect([answer.status, answer.body]).toEqual([422, expect.objectContaining({ code })]);
    expect(await storedPrompts()).toBe(0);
  });

  test('is one rejected item of a batch, as an array and as NDJSON', async () => {
    await arrange();
    const neighbour = { ...prompt('fine'), session_id: `${session}-neighbour` };
    const answer = await instance.post('/events/batch', [prompt('a'), neighbour, prompt('b')]);
    expect(answer.body).toMatchObject({
      accepted: 1,
      rejected: 2,
      items: [
        { index: 0, status: 'rejected', id: null, code },
        { index: 1, status: 'accepted', code: null },
        { index: 2, status: 'rejected', id: null, code },
      ],
    });
    const lines = await instance.call('POST', '/events/batch', {
      raw: `${JSON.stringify(prompt('c'))}\nno json\n`,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(
      String(lines.body)
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toMatchObject([
      { index: 0, status: 'rejected', code },
      { index: 1, status: 'rejected', code: 'INVALID_JSON' },
      { accepted: 0, duplicates: 0, rejected: 2 },
    ]);
    expect(await storedPrompts()).toBe(0);
  });

  test('is no problem of the agent that sends it as a hook', async () => {
    await arrange();
    const answer = await instance.post('/hooks/UserPromptSubmit', {
      session_id: session,
      cwd: '/src',
      prompt: 'not for keeping',
    });
    expect([answer.status, answer.body]).toEqual([200, {}]);
    expect(await storedPrompts()).toBe(0);
  });
});

test('one prompt that was forgotten does not come back by another way, and others of its session are stored', async () => {
  await instance.call('POST', '/hooks/UserPromptSubmit', {
    body: { session_id: session, cwd: '/src', prompt: 'forget me' },
    headers: { 'x-recollect-delivery': 'd1' },
  });
  await forget(`content:${createHash('sha256').update('forget me').digest('hex')}`);
  const answer = await instance.post('/events/batch', [
    prompt('forget me', 'from-a-transcript'),
    prompt('keep me', 'other'),
  ]);
  expect(answer.body).toMatchObject({ items: [{ code: 'EVENT_FORGOTTEN' }, { status: 'accepted' }] });
});
