import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { CLEAR_LINE, shownText, terminalText } from '../../cli/text/terminal-text.ts';
import { scriptedServer } from '../client/support/scripted-server.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { recordOutput } from './support/output.ts';

const dataDir = longLivedFolder();

test('stored text loses what steers a terminal and what nobody sees', () => {
  expect(
    terminalText('a\u001b[31mred\u001b[0m \u001b]8;;https://x\u001b\\link\u001b]8;;\u001b\\ \u009b2J\u202eb\u{e0041}'),
  ).toBe('ared link 2Jb');
});

test('whatever else is written is shown as JSON writes it, which programs read as it was', () => {
  const said = { name: 'a\u001b[2J\u202e\u2028\u007f' };
  expect(JSON.parse(shownText(JSON.stringify(said)))).toEqual(said);
  expect(shownText(`${CLEAR_LINE}step\n`)).toBe(`${CLEAR_LINE}step\n`);
  expect(shownText(`x${CLEAR_LINE}`)).toBe('x\\u000d\\u001b[2K');
});

test.each([80, null])('no command writes a sequence that a name brings along, with %s columns', async (columns) => {
  const name = 'tally\u001b]0;owned\u0007\u001b[2J\u202e';
  const counts = { sessions: 1, learnings: 0, last_event_at: null };
  const project = { id: 'p', display_name: name, aliases: [name], git_remote: null, ...counts };
  const body = { data: [project], pagination: { total: 1, next_cursor: null } };
  const server = await scriptedServer([{ status: 200, body }]);
  const context = recordOutput({ RECOLLECT_URL: server.url, RECOLLECT_API_KEY: 'key-of-a-test' }, columns);
  await createProgram(context, () => undefined).parseAsync(['projects', '--data-dir', dataDir], { from: 'user' });
  expect(context.text()).toContain('tally');
  expect(`${context.text()}${context.errors()}`).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
});
