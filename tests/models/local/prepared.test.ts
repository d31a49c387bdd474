import { describe, expect, it } from 'vitest';
import type { SourceRow } from '../../../domain/ports/model.ts';
import { miniSession } from '../rows.ts';
import { live, localModel, sessionInputOf, windowOf } from './asked.ts';

/** The same words in another session: other ids, places and times. */
const elsewhere: readonly SourceRow[] = miniSession.map((row) => ({
  ...row,
  id: `other-${row.id}`,
  seq: row.seq + 100,
  occurredAt: '2026-05-05T05:05:05Z',
}));

describe('a prepared call', () => {
  it('is free, and states its input tokens', async () => {
    const model = localModel();
    const call = await model.prepareWindow(windowOf(miniSession), live());
    expect(call).toMatchObject({ provider: 'local', model: 'local-extractive-4', maxUsd: 0 });
    expect(call.inputTokens).toBe(miniSession.reduce((sum, { tokens }) => sum + tokens, 0));
    const { usage, text } = await call.send(live());
    expect(usage).toMatchObject({
      provider: 'local',
      inputTokens: call.inputTokens,
      tokensCached: 0,
      tokensCacheWritten: 0,
      costUsd: 0,
      batch: false,
      latencyMs: 0,
    });
    expect(usage.outputTokens).toBeGreaterThan(0);
    expect(usage.outputTokens).toBeLessThanOrEqual(call.maxTokensOut);
    expect(text).not.toContain('row-');
    expect(model.batches).toBeNull();
  });

  it('reads its own text back', async () => {
    const call = await localModel().prepareWindow(windowOf(miniSession), live());
    const { text, reading } = await call.send(live());
    expect(call.read(text)).toEqual(reading);
  });

  it('has the same request text for the same words in another session, whose response it can read', async () => {
    const model = localModel();
    const here = await model.prepareWindow(windowOf(miniSession), live());
    const there = model.windowRequest(windowOf(elsewhere));
    expect(there.requestText).toBe(here.requestText);
    expect(there.promptVersion).toBe(here.promptVersion);
    const reading = there.read((await here.send(live())).text);
    const cited = reading.ok ? reading.output.items.flatMap(({ evidence }) => evidence.map(({ rowId }) => rowId)) : [];
    expect(cited.length).toBeGreaterThan(0);
    for (const id of cited) expect(id).toMatch(/^other-row-/u);
  });

  it.each([
    ['other words', { rows: miniSession.slice(1) }],
    ['another request before', { precedingRequest: { content: 'Make it fast', dataClass: 'internal' as const } }],
    [
      'something known',
      { known: [{ id: 'k', category: 'general' as const, title: 'Dates', description: 'Dates roll over.' }] },
    ],
  ])('has another request text for %s', (_, change) => {
    const model = localModel();
    const { requestText } = model.windowRequest(windowOf(miniSession));
    expect(model.windowRequest({ ...windowOf(miniSession), ...change }).requestText).not.toBe(requestText);
  });

  it('repairs with the same call', async () => {
    const call = await localModel().prepareWindow(windowOf(miniSession), live());
    const again = await call.repair('{}', 'wrong', live());
    expect((await again.send(live())).text).toBe((await call.send(live())).text);
  });

  it('reports a text that is not its own response', async () => {
    const call = await localModel().prepareWindow(windowOf(miniSession), live());
    expect(call.read('not JSON')).toMatchObject({ ok: false, kind: 'invalid_output', where: 'text' });
    const foreign = (await call.send(live())).text.replaceAll(/"rowId":\d+/gu, '"rowId":99');
    expect(call.read(foreign)).toMatchObject({ ok: false, kind: 'invalid_output', where: 'rowId' });
    expect(call.read(foreign.replaceAll('"rowId":99', '"rowId":"row-1"'))).toMatchObject({ ok: false });
  });

  it('includes the rows that topics and items cite', async () => {
    const model = localModel();
    const input = await sessionInputOf(miniSession);
    const session = await model.prepareSession(input, live());
    const answer = await session.send(live());
    expect(session.read(answer.text)).toEqual(answer.reading);
    const learnings = await model.prepareLearnings({ ...input, rows: miniSession, known: [] }, live());
    const learned = await learnings.send(live());
    expect(learnings.read(learned.text)).toEqual(learned.reading);
    expect(learnings.requestText).not.toBe(session.requestText);
  });
});
