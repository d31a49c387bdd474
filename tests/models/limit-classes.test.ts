import { afterAll, describe, expect, test } from 'vitest';
import { DATA_CLASSES, OUTSIDE_CLASSES } from '../../domain/data-classes.ts';
import type { DataClass } from '../../domain/data-classes.ts';
import { EmbedderUnavailable, TextsRefused } from '../../domain/ports/embedder.ts';
import type { WindowInput } from '../../domain/ports/model.ts';
import { createOwnModel } from '../../models/create-model.ts';
import { limitClasses, limitEmbeddedClasses } from '../../models/limit-classes.ts';
import { countTokens, modelAt } from './claude/claude-fixture.ts';
import { startMessagesServer } from './claude/messages-server.ts';
import { rowsFrom } from './rows.ts';

/** A text that the detectors put into the class, and the part of it that requests can be searched for. */
const TEXTS: Readonly<Record<Exclude<DataClass, 'public'>, readonly [text: string, part: string]>> = {
  internal: ['The deployment waits for the pelican', 'pelican'],
  sensitive: ['Ask heron@birdwatch.io about the deployment', 'heron'],
  confidential: ['The key [redacted:jwt] opens the walrus', 'walrus'],
  restricted: ['Pay the ostrich with [redacted:payment-card]', 'ostrich'],
};
/** The classes that each reader may read. */
const ALLOWED: Readonly<Record<string, readonly DataClass[]>> = {
  own: ['public', 'internal', 'sensitive', 'confidential'],
  public: ['public'],
  internal: ['public', 'internal'],
  sensitive: ['public', 'internal', 'sensitive'],
  confidential: ['public', 'internal', 'sensitive', 'confidential'],
};
const inWindow = (more: Partial<WindowInput>): WindowInput => ({
  projectName: 'demo',
  glossary: [],
  precedingRequest: null,
  known: [],
  rows: rowsFrom([{ type: 'user', content: 'Begin', dataClass: 'public' }]),
  ...more,
});
const server = await startMessagesServer();
afterAll(() => server.close());
const modelOf = (reader: string) => {
  const limit = OUTSIDE_CLASSES.find((name) => name === reader);
  return limit === undefined ? createOwnModel({ countTokens, now: () => 0 }) : limitClasses(modelAt(server), limit);
};
const cells = Object.keys(ALLOWED).flatMap((reader) => DATA_CLASSES.map((dataClass) => [reader, dataClass] as const));

test.each(cells)(
  'the request to the model with the limit %s has rows and the request before them of the class %s only if allowed',
  (reader, dataClass) => {
    const rows = rowsFrom([
      { type: 'user', content: 'Begin', dataClass: 'public' },
      {
        type: 'tool_result',
        tool: 'Bash',
        title: 'Bash: cat ostrich',
        content: 'An ostrich, the ostrich file',
        dataClass,
      },
    ]);
    const precedingRequest = { content: 'Ask the pelican', dataClass };
    const { requestText } = modelOf(reader).windowRequest(inWindow({ rows, precedingRequest }));
    expect(requestText.includes('pelican')).toBe(ALLOWED[reader]?.includes(dataClass));
    expect(requestText.includes('ostrich')).toBe(ALLOWED[reader]?.includes(dataClass));
    // The local model would quote the note.
    expect(requestText.includes('[withheld]')).toBe(reader !== 'own' && ALLOWED[reader]?.includes(dataClass) === false);
  },
);

describe('texts without a stored class are classified by their content', () => {
  const derived = cells.flatMap(([reader, dataClass]) =>
    dataClass === 'public' ? [] : [[reader, dataClass] as const],
  );

  test.each(derived)('for the limit %s: %s', (reader, dataClass) => {
    const [text, part] = TEXTS[dataClass];
    const known = [{ id: 'k', category: 'general', title: text, description: text }] as const;
    const { requestText } = modelOf(reader).windowRequest(inWindow({ known }));
    expect(requestText.includes(part)).toBe(ALLOWED[reader]?.includes(dataClass));
  });
});

test.each(OUTSIDE_CLASSES)('the name of a project above the limit %s is not sent', (limit) => {
  for (const [dataClass, [projectName, part]] of Object.entries(TEXTS)) {
    const { requestText } = modelOf(limit).windowRequest(inWindow({ projectName }));
    expect(requestText.includes(part)).toBe(ALLOWED[limit]?.some((name) => name === dataClass));
  }
});

test.each(OUTSIDE_CLASSES)('a provider of embeddings with the limit %s gets no text above it', async (limit) => {
  const sent: string[] = [];
  const embedder = limitEmbeddedClasses(
    {
      model: 'm',
      dimension: 1,
      embed: async (texts) => {
        sent.push(...texts);
        return texts.map(() => new Float32Array([1]));
      },
      likeness: (cosine) => cosine,
      calibration: null,
      ready: async () => true,
      close: async () => {},
    },
    limit,
  );
  for (const [dataClass, [text]] of Object.entries(TEXTS)) {
    sent.length = 0;
    const isAllowed = ALLOWED[limit]?.some((name) => name === dataClass) === true;
    for (const [purpose, failure] of [
      ['passage', TextsRefused],
      ['sentence', EmbedderUnavailable],
      ['query', EmbedderUnavailable],
    ] as const) {
      const answer: unknown = await embedder.embed([text], purpose).catch((error: unknown) => error);
      expect(answer).toBeInstanceOf(isAllowed ? Array : failure);
    }
    expect(sent).toEqual(isAllowed ? [text, text, text] : []);
  }
});
