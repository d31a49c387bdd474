import { describe, expect, it } from 'vitest';
import { callsOf } from '../../../models/local/calls.ts';
import { commandNotes } from '../../../models/local/notes/command-notes.ts';
import { commitNotes } from '../../../models/local/notes/commit-notes.ts';
import { touchedFilesOf } from '../../../models/local/notes/file-names.ts';
import { fileNotes } from '../../../models/local/topic.ts';
import { headingOf, isLastingPreference } from '../../../models/local/notes/notes.ts';
import { repairNotes } from '../../../models/local/notes/repair-notes.ts';
import { sentencesOf } from '../../../models/local/segments.ts';
import { spokenNotes } from '../../../models/local/notes/spoken-notes.ts';
import { todoNotes } from '../../../models/local/notes/todos.ts';
import { edited, miniSession, ran, rowsFrom } from '../rows.ts';
import type { RowDraft } from '../rows.ts';

const commandsOf = (drafts: readonly RowDraft[]) => commandNotes(callsOf(rowsFrom(drafts)), new Set());
const commitsOf = (drafts: readonly RowDraft[]) => commitNotes(callsOf(rowsFrom(drafts)));
const spokenOf = (drafts: readonly RowDraft[], edits: readonly number[] = []) =>
  spokenNotes(sentencesOf(rowsFrom(drafts)), edits);

describe('commands', () => {
  it('are shown without preparation', () => {
    const [note] = commandsOf([ran('cd /repo && source .venv/bin/activate && git mv a.md docs/a.md', '')]);
    expect(note?.text).toBe('`git mv a.md docs/a.md`');
  });

  it('state their failure, with its line as evidence', () => {
    const rows = [ran('git push -u origin main', 'error: Host key verification failed.\nfatal: Could not read', true)];
    expect(commandsOf(rows)[0]).toMatchObject({
      text: '`git push -u origin main` failed: Host key verification failed.',
      evidence: [{ rowId: 'row-1', quote: 'error: Host key verification failed.' }],
    });
  });

  it.each([
    ['brew install gh', 'ls -la'],
    ['git mv a.md b.md', 'git status'],
    ['curl -LsSf https://example.org/install.sh | sh', 'cat a.md'],
    ['find . -name "*.orig" | xargs git rm --cached', 'find . -name "*.orig"'],
    ['gh repo create demo --public', 'gh repo view demo'],
    ['npx vitest run tests/a.test.ts', 'npm test'],
  ])('%s is worth more than %s', (more, less) => {
    const [high, low] = commandsOf([ran(more, ''), ran(less, '')]);
    expect(high?.value).toBeGreaterThan((low?.value ?? 0) * 1.5);
  });

  it('lose worth with every repetition, and gain worth by fixing a failure', () => {
    const [first, second] = commandsOf([ran('git mv a b', ''), ran('git mv c d', '')]);
    expect(second?.value).toBeLessThan(first?.value ?? 0);
    const mended = commandsOf([
      ran('terraform apply', 'Error: no credentials', true),
      ran('terraform apply -var-file=x', ''),
    ])[1];
    expect(mended?.value).toBeGreaterThan(commandsOf([ran('terraform apply -var-file=x', '')])[0]?.value ?? 9);
  });

  it('leave out looks, passed checks, commits and programs that continue on the next lines', () => {
    expect(commandsOf([ran('cat a.md', 'words'), ran('npm test', '3 passed')])).toEqual([]);
    expect(commandsOf([ran('python -c "\nprint(1)\n"', '1')])).toEqual([]);
    expect(commandsOf([ran('git commit -m "Add a parser"', '1 file changed')])).toEqual([]);
    expect(commandsOf([ran('git commit --amend --no-edit', '1 file changed')])).toEqual([]);
    // Discarded output changes no file.
    expect(commandsOf([ran('ls old.md 2>/dev/null || echo none', 'none'), ran('mkdir -p src/a', '')])).toEqual([]);
  });
});

describe('commits', () => {
  it.each([
    ['git commit -m "feat: Add a parser"', 'feature', 'feat: Add a parser'],
    ["git commit -am 'refactor: Split the parser'", 'refactor', 'refactor: Split the parser'],
    ['git commit -m "Rename loadAll to loadSessions"', 'refactor', 'Rename loadAll to loadSessions'],
    ['git commit -m "docs: Tell of the parser"', 'change', 'docs: Tell of the parser'],
    ['git commit -m "$(cat <<\'EOF\'\nfeat: Add a lexer\n\nLonger words.\nEOF\n)"', 'feature', 'feat: Add a lexer'],
    ['git commit -m "fix: Close the file"', 'change', 'fix: Close the file'],
  ])('%s', (command, kind, title) => {
    expect(commitsOf([ran(command, '1 file changed')])).toMatchObject([
      { kind, title, evidence: [{ rowId: 'row-1', quote: title }] },
    ]);
  });

  it('name the files that were added by name', () => {
    const [named, all] = commitsOf([
      ran('git add a.md b.md && git commit -m "docs: Two guides"', ''),
      ran('git add -A && git commit -m "docs: Everything"', ''),
    ]);
    expect([named?.text, all?.text]).toEqual(['Files: a.md, b.md', '']);
  });

  it('are bugfixes only after a failure and a success', () => {
    const run = (failed: boolean) => ran('npm test', failed ? 'Error: boom\n1 failed' : '3 passed', failed);
    const [fix] = commitsOf([run(true), edited('a.ts', 'x', 'y'), run(false), ran('git commit -m "fix: Boom"', '')]);
    expect(fix?.kind).toBe('bugfix');
    expect(fix?.evidence.map(({ rowId }) => rowId)).toEqual(['row-4', 'row-1', 'row-3']);
  });

  it('that failed are none', () => {
    expect(commitsOf([ran('git commit -m "feat: Add a parser"', 'fatal: no', true)])).toEqual([]);
  });
});

describe('files', () => {
  const wrote = (path: string, said: string): RowDraft => ({
    type: 'tool_result',
    tool: 'Write',
    title: `Write: ${path}`,
    content: `${path}\nwords\n\n${said}`,
    filesModified: [path],
  });

  it('use the words of the tool for one file, and list several once', () => {
    const notesOf = (drafts: readonly RowDraft[]) => fileNotes(callsOf(rowsFrom(drafts)));
    expect(notesOf([wrote('docs/a.md', 'Wrote 12 lines to docs/a.md'), wrote('docs/a.md', '')])).toMatchObject([
      { text: 'Wrote 12 lines to docs/a.md', evidence: [{ rowId: 'row-1' }] },
    ]);
    const several = ['docs/a.md', 'b.md', 'docs/a.md', 'c.md', 'd.md', 'e.md'].map((path) => wrote(path, ''));
    expect(notesOf(several).map(({ text }) => text)).toEqual(['Wrote docs/a.md, b.md, c.md and 2 more']);
    expect(notesOf([ran('ls', '')])).toEqual([]);
  });

  it('count as touched by a command or a path, not by written content', () => {
    const rows = rowsFrom([wrote('docs/a.md', 'see other.md'), ran('cat notes.txt', 'mentions third.md')]);
    const isTouched = touchedFilesOf(rows, ['known.md']);
    expect(['a.md is done', 'notes.txt', 'no file', 'known.md'].every(isTouched)).toBe(true);
    expect(['other.md', 'third.md', 'a.md and gone.py'].some(isTouched)).toBe(false);
  });
});

describe('sentences', () => {
  const worthOf = (content: string): number => spokenOf([{ type: 'user', content }])[0]?.value ?? 0;

  it('of the user are worth more with a wish, a correction or a name in them', () => {
    const plain = worthOf('We have the parser for that format.');
    for (const text of [
      'We always have the parser for that format.',
      'No, we have the parser for that format.',
      'We have `src/parser.ts` for that format.',
      'I dislike the parser for that format.',
    ])
      expect(worthOf(text)).toBeGreaterThan(plain);
    expect(worthOf('Do we have the parser for that format?')).toBeLessThan(plain);
  });

  it('retain the user’s words, a short prompt completely', () => {
    expect(
      spokenOf([{ type: 'user', content: 'ok, `mv` it back and then use `git mv`. Proper hygiene!' }]),
    ).toMatchObject([{ text: 'ok, `mv` it back and then use `git mv`. Proper hygiene!' }]);
  });

  it('are shown without interjections before them', () => {
    expect(spokenOf([{ type: 'user', content: 'No. Not yet! Rename the parser of that format.' }])).toMatchObject([
      { text: 'Rename the parser of that format.' },
    ]);
    expect(
      spokenOf([{ type: 'assistant', content: 'I understand - we stop at every stable point for a review.' }]),
    ).toMatchObject([{ text: 'We stop at every stable point for a review.' }]);
  });

  it.each([
    ['has no verb', 'A parser for `src/lock.ts` with the old format.'],
    ['names nothing', 'The parser reads the lines of the old format.'],
    ['needs the sentence before', 'It reads the lines of `src/lock.ts` in the old format.'],
    ['has less than five words', 'Reads `src/lock.ts` now.'],
    ['is a heading', 'Parser of `LOCK` for the Old Format'],
  ])('of the assistant are worth less if it %s', (_, text) => {
    const agentWorth = (content: string): number => spokenOf([{ type: 'assistant', content }])[0]?.value ?? 0;
    expect(agentWorth(text)).toBeLessThan(agentWorth('The parser reads the lines of `src/lock.ts` in the old format.'));
  });

  it('that ask for agreement state something', () => {
    const named = 'The file is called parser_spec.py by our convention';
    expect(worthOf(`${named}, right?`)).toBeGreaterThan(worthOf(`${named}, or do I err?`));
  });

  it('leave out talk, and terminal output that was pasted', () => {
    expect(spokenOf([{ type: 'user', content: 'LGTM, let’s commit' }])).toEqual([]);
    const pasted = [
      'I ran it in a new shell and this is what I got, can you see why?',
      'Resolved 28 packages in 192 ms',
      'Built demo from the lock file of the project',
      'It lists the books of the library',
      'Installed 28 packages in 48 ms',
      'Compressing objects: done with this pack',
      'error: failed to build the wheel of demo',
    ].join('\n');
    expect(spokenOf([{ type: 'user', content: pasted }]).map(({ text }) => text)).toEqual([
      'I ran it in a new shell and this is what I got, can you see why?',
    ]);
  });

  it('of the assistant count for causes, not for narration', () => {
    const notes = spokenOf([
      {
        type: 'assistant',
        content: 'Let me look at the lock file now. The issue was that the lock file pinned an old release.',
      },
    ]);
    expect(notes.map(({ text, kind }) => [kind, text])).toEqual([
      ['discovery', 'The issue was that the lock file pinned an old release.'],
    ]);
  });

  it('that hold for ever are known from those of the moment', () => {
    const isWish = (content: string): boolean =>
      sentencesOf(rowsFrom([{ type: 'user', content }])).some(isLastingPreference);
    for (const text of [
      'Never push to main without a review.',
      'please don’t write comments into listings',
      'I dislike abbreviations in names.',
      'very good, and please stop at each stable point for a review',
      '不要使用本地时区，以后必须使用标准时间。',
    ])
      expect([text, isWish(text)]).toEqual([text, true]);
    for (const text of ['Fix the parser of the lock file.', 'Should we never push to main?'])
      expect([text, isWish(text)]).toEqual([text, false]);
  });
});

it('combines a repair into one note: failure, message and fix', () => {
  const [note, ...more] = repairNotes(sentencesOf(miniSession), callsOf(miniSession));
  expect(more).toEqual([]);
  expect(note).toMatchObject({ place: 'item', kind: 'bugfix', rowIndex: 5 });
});

it('makes a note of open work from its statement', () => {
  expect(todoNotes(miniSession, sentencesOf(miniSession)).map(({ place, rowIndex }) => [place, rowIndex])).toEqual([
    ['todo', 6],
    ['todo', 6],
  ]);
});

describe('headings', () => {
  it('are the first words of a note, as a title', () => {
    const heading = headingOf([], 'We always keep migrations small because reviewers skip long migrations.');
    expect(heading).toMatch(/^We always keep migrations small because\b.*…$/u);
    expect(heading.length).toBeLessThanOrEqual(48);
    expect(headingOf([], 'Please use tabs.')).toBe('Use tabs');
  });

  it('are never empty, and short without spaces too', () => {
    expect(headingOf(['it'], '...')).toBe('It');
    expect(headingOf([], '以后必须使用标准时间'.repeat(20)).length).toBeLessThanOrEqual(48);
  });
});
