import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { TranscriptItem } from '../../../domain/transcripts/items.ts';
import { prepareItem } from '../../../domain/transcripts/plan.ts';

const owner = {
  tenantId: asId<TenantId>('018f0000-0000-7000-8000-000000000001'),
  userId: asId<UserId>('018f0000-0000-7000-8000-000000000002'),
};
const IDE = '<ide_opened_file>The user opened /src/a.ts</ide_opened_file>';
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

function item(hook: string, fields: Record<string, unknown>, alternatives: readonly string[] = []): TranscriptItem {
  return {
    kind: 'user',
    uuid: 'line',
    offset: 0,
    session: 's',
    at: null,
    key: 'transcript:line',
    hook,
    payload: { session_id: 's', hook_event_name: hook, ...fields },
    alternatives,
    agentId: null,
    agentGuessed: false,
    turn: null,
  };
}

const hashesOf = (text: string, alternatives: readonly string[] = []) =>
  prepareItem(item('UserPromptSubmit', { prompt: text }, alternatives), owner, 'transcript')?.hashes;

describe('a prompt of a transcript is known by', () => {
  test('hashes a plain text once', () => {
    expect(hashesOf('say it', ['say it'])).toEqual([sha256('say it')]);
  });

  test('hashes the text without the host’s prefix and without surrounding blanks', () => {
    expect(hashesOf(`${IDE}\nsay it `, [`${IDE}\nsay it`])).toEqual(
      expect.arrayContaining(['\nsay it ', 'say it', '\nsay it'].map(sha256)),
    );
  });

  test('hashes every non-empty text that a host may send', () => {
    expect(hashesOf('one\n\ntwo', ['one\ntwo', 'two', '', '  ', IDE])).toEqual(
      ['one\n\ntwo', 'one\ntwo', 'two'].map(sha256),
    );
  });
});

test('returns null for empty texts and items that are not stored', () => {
  expect(prepareItem(item('UserPromptSubmit', { prompt: `${IDE}\n` }), owner, 'transcript')).toBeNull();
  expect(prepareItem(item('PreToolUse', { tool_name: 'Read' }), owner, 'transcript')).toBeNull();
});

test('identifies a tool call by its key, and records its source', () => {
  const call = { tool_name: 'Bash', tool_input: {}, tool_response: 'ok', tool_use_id: 'u' };
  expect(prepareItem(item('PostToolUse', call), owner, 'transcript')).toMatchObject({
    hashes: [],
    event: { key: 'tool:u', source: 'transcript' },
  });
});
