import { z } from 'zod';

/** Of unknown fields. */
const SHOWN_KEYS = 3;
const KEY_CHARS = 40;

type Issue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'must be a UUID',
  datetime: 'must be a time such as 2026-01-02T03:04:05Z',
  date: 'must be a day such as 2026-01-02',
  url: 'must be a URL',
  regex: 'has not the expected form',
};

function counted(count: number | bigint, origin: string): string {
  const unit = origin === 'string' ? 'character' : origin === 'array' || origin === 'set' ? 'entr' : 'field';
  const plural = unit === 'entr' ? ['entry', 'entries'] : [unit, `${unit}s`];
  return `${count} ${plural[Number(count) === 1 ? 0 : 1]}`;
}

/** Returns a limit as a sentence without subject: `must have at most 200 characters`, `must be at least 1`. */
function limitText(word: 'least' | 'most', limit: number | bigint, origin: string, isInclusive: boolean): string {
  if (origin === 'number' || origin === 'int' || origin === 'bigint')
    return isInclusive ? `must be at ${word} ${limit}` : `must be ${word === 'least' ? 'above' : 'below'} ${limit}`;
  if (word === 'least' && Number(limit) === 1) return 'must not be empty';
  return `must have at ${word} ${counted(limit, origin)}`;
}

/** Returns the fault of a value as a sentence without subject, to follow the name of a field; undefined: the message of the schema remains. */
function issueText(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return limitText('least', issue.minimum, issue.origin, issue.inclusive !== false);
    case 'too_big':
      return limitText('most', issue.maximum, issue.origin, issue.inclusive !== false);
    case 'invalid_format':
      return FORMATS[issue.format] ?? `must be a valid ${issue.format}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `has the unknown field ${issue.keys
        .slice(0, SHOWN_KEYS)
        .map((key) => key.slice(0, KEY_CHARS))
        .join(', ')}`;
    case 'invalid_union':
      return 'matches none of the accepted forms';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    // Schemas give the text of their own checks; of an entry, its value's issues follow.
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
      return undefined;
  }
}

// For every schema of the process: no text of the validation library reaches a user.
z.config({ customError: issueText });
