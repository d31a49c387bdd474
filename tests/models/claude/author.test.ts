import { afterEach, beforeEach, expect, it } from 'vitest';
import { groundLearnings, groundSession, groundTopic, quotableRows } from '../../../domain/grounding.ts';
import { rowsFrom, miniSession } from '../rows.ts';
import { sendCall, countTokens, live, modelAt, outputOf, window } from './claude-fixture.ts';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';

let server: MessagesServer;
beforeEach(async () => {
  server = await startMessagesServer({ author: true });
});
afterEach(() => server.close());

it('completes a session with valid quotes and realistic sizes', async () => {
  const model = modelAt(server);
  const rows = miniSession.map((row) => ({ ...row, tokens: countTokens(row.content) }));
  const answer = await sendCall(model.prepareWindow({ ...window, rows }, live()));
  expect(answer.usage.outputTokens).toBeGreaterThan(250);
  expect(answer.usage.outputTokens).toBeLessThan(900);
  const topic = groundTopic(outputOf(answer), rows);
  expect(topic.dropped).toBe(0);
  expect(topic.supported.keyPoints.length).toBeGreaterThanOrEqual(2);
  expect(topic.supported.items.map(({ kind }) => kind)).toContain('decision');

  const input = {
    projectName: 'p',
    glossary: [],
    topics: [{ id: 't', ...topic.supported }],
    items: topic.supported.items.map((item, index) => ({ id: String(index), ...item })),
    prompts: rows.filter(({ role }) => role === 'prompt'),
  };
  const session = groundSession(outputOf(await sendCall(model.prepareSession(input, live()))), quotableRows(input));
  expect(session.dropped).toBe(0);
  expect(session.supported.keyPoints.length).toBeGreaterThan(0);

  const learnings = outputOf(await sendCall(model.prepareLearnings({ ...input, rows, known: [] }, live())));
  expect(learnings.length).toBeGreaterThan(0);
  expect(groundLearnings(learnings, [...quotableRows(input), ...rows]).dropped).toBe(0);
  expect(learnings.every(({ relation }) => relation === null)).toBe(true);

  // It recognises its earlier learnings.
  const known = learnings.map(({ category, title, description }, index) => ({
    id: `known-${String(index)}`,
    category,
    title,
    description,
  }));
  const again = outputOf(await sendCall(model.prepareLearnings({ ...input, rows, known }, live())));
  expect(again.map(({ relation }) => relation?.kind)).toEqual(again.map(() => 'same'));
});

it('is deterministic, and accepts a window with nothing to quote', async () => {
  const model = modelAt(server);
  const rows = rowsFrom([{ type: 'user', content: 'ok' }]);
  const texts = [
    (await sendCall(model.prepareWindow({ ...window, rows }, live()))).text,
    (await sendCall(model.prepareWindow({ ...window, rows }, live()))).text,
  ];
  expect(texts[0]).toBe(texts[1]);
});
