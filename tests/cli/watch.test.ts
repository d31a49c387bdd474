import { beforeAll, expect, test } from 'vitest';
import { noteEvent } from '../api/support/events.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { runProgram, writeCredentials } from './support/output.ts';

const dataDir = longLivedFolder();
const instance = fileInstance();
const run = (...args: string[]) => runProgram(['watch', ...args, '--no-follow', '--data-dir', dataDir]);

beforeAll(() => writeCredentials(dataDir, instance));

test('shows the events since an id, selected by type and session, as lines and as JSON', async () => {
  const { id } = JSON.parse((await run('--json')).text);
  for (const session of ['one', 'two']) await instance.post('/events', noteEvent(session, 'a note', { key: session }));
  const since = ['--since', String(id)];
  const { code, text } = await run(...since);
  expect(code).toBe(0);
  expect(text.split('\n')).toEqual([
    'Watching. Stop with Ctrl-C.',
    expect.stringMatching(/^\S+ session\.created +session=\S+ phase=active status=active$/),
    expect.stringMatching(/^\S+ observation\.added +session=\S+ prompts=0 last_seq=1 first_seq=1 observations=1$/),
    expect.stringMatching(/^\S+ session\.created /),
    expect.stringMatching(/^\S+ observation\.added /),
    '',
  ]);
  const selected = await run(...since, '--type', 'observation.added', '--session', 'test:two', '--json');
  const types = selected.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).type);
  expect(types).toEqual(['ready', 'observation.added']);
});

test('reports an unknown type and an unknown session', async () => {
  expect(await run('--type', 'odd')).toMatchObject({ code: 1, errors: expect.stringContaining('session.created') });
  expect(await run('--session', 'unknown')).toMatchObject({ code: 1 });
});
