import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { CLEAR_LINE, colouredText, shownText, terminalText } from '../../cli/text/terminal-text.ts';
import { scriptedServer } from '../client/support/scripted-server.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { recordOutput } from './support/output.ts';

const dataDir = longLivedFolder();

test('removes control and invisible characters from stored text', () => {
  expect(
    terminalText('a\u001b[31mred\u001b[0m \u001b]8;;https://x\u001b\\link\u001b]8;;\u001b\\ \u009b2J\u202eb\u{e0041}'),
  ).toBe('ared link 2Jb');
});

test('escapes other output like JSON, which programs parse unchanged', () => {
  const value = { name: 'a\u001b[2J\u202e\u2028\u007f' };
  expect(JSON.parse(shownText(JSON.stringify(value)))).toEqual(value);
  expect(shownText(`${CLEAR_LINE}step\n`)).toBe(`${CLEAR_LINE}step\n`);
  expect(shownText(`x${CLEAR_LINE}`)).toBe('x\\u000d\\u001b[2K');
});

test('has colours for hashes and heads of tables on a terminal, and none in JSON', () => {
  const [cyan, bold] = ['\u001b[36mabcdefgh\u001b[39m', '\u001b[1mLEARNING  TIMES USED\u001b[22m'];
  expect(colouredText('LEARNING  TIMES USED\nabcdefgh  1\n> abcdefgh  2026\nof it [abcdefgh]\n')).toBe(
    `${bold}\n${cyan}  1\n> ${cyan}  2026\nof it [${cyan}]\n`,
  );
  expect(colouredText('abcdefgh is a word, notahash\n')).toBe('abcdefgh is a word, notahash\n');
  expect(colouredText('{"a":"[abcdefgh]"}\n')).toBe('{"a":"[abcdefgh]"}\n');
});

test.each([80, null])('no command prints a control sequence of a name, with %s columns', async (columns) => {
  const name = 'tally\u001b]0;owned\u0007\u001b[2J\u202e';
  const counts = { sessions: 1, learnings: 0, last_event_at: null };
  const project = {
    id: 'p',
    display_name: name,
    aliases: [name],
    git_remote: null,
    created_at: '2026-01-01T00:00:00.000Z',
    ...counts,
  };
  const body = {
    data: [project],
    pagination: { page: 1, limit: 20, total: 1, total_pages: 1, has_next: false, has_prev: false, next_cursor: null },
  };
  const server = await scriptedServer([{ status: 200, body }]);
  const context = recordOutput({ RECOLLECT_URL: server.url, RECOLLECT_API_KEY: 'key-of-a-test' }, columns);
  await createProgram(context, () => undefined).parseAsync(['projects', '--data-dir', dataDir], { from: 'user' });
  expect(context.text()).toContain('tally');
  expect(`${context.text()}${context.errors()}`).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
});
