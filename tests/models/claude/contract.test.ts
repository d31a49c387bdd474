import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { modelConfig, modelEnvironment } from '../../../config/model-settings.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { groundTopic } from '../../../domain/grounding.ts';
import type { BatchOutcome, ModelPort, WindowInput } from '../../../domain/ports/model.ts';
import { createClaudeModel } from '../../../models/claude/model.ts';
import { miniSession } from '../rows.ts';
import { until } from '../../setup/until.ts';
import { sendCall, countTokens, failure, live, outputOf } from './claude-fixture.ts';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';

// The protocol that the adapter relies on, against the local server and, if ANTHROPIC_API_KEY is set, against the real service:
// four calls and a batch of two, for some cents.

const environment = processEnvironment();
const settings = modelConfig(z.object(modelEnvironment).parse(environment));
const targets = ['local', ...(settings.apiKey === undefined ? [] : ['real'])] as const;
/** The provider promises a batch within a day, and is mostly done in minutes. */
const BATCH_MS = 30 * 60_000;
/** The count before a call is an estimate by the provider's own words. */
const COUNT_TOLERANCE = 0.05;

const input: WindowInput = {
  projectName: 'calendar',
  // New for each run, so that the first call finds no prefix of an earlier one with these names.
  glossary: ['calendar.ts', 'addYears', `run-${String(Date.now())}`],
  precedingRequest: null,
  known: [],
  rows: miniSession,
};

describe.each(targets)('the %s service', (target) => {
  let server: MessagesServer;
  let model: ModelPort;
  const modelWith = (apiKey: string) =>
    createClaudeModel({
      apiKey,
      ...(target === 'local'
        ? { baseUrl: server.url }
        : settings.baseUrl === undefined
          ? {}
          : { baseUrl: settings.baseUrl }),
      small: settings.small,
      large: settings.large,
      smallWindowTokens: settings.smallWindowTokens,
      timeoutMs: settings.timeoutMs,
      maxOutputTokens: settings.maxOutputTokens,
      requestTokens: settings.requestTokens,
      batchPriceShare: settings.batch.priceShare,
      countTokens,
      now: Date.now,
    });

  beforeAll(async () => {
    server = await startMessagesServer({ author: true });
    model = modelWith(target === 'local' ? server.apiKey : (settings.apiKey ?? ''));
  });
  afterAll(() => server.close());

  it('counts about the tokens that it bills, and responds in the schema with verbatim quotes', async () => {
    const call = await model.prepareWindow(input, live());
    const { reading, usage } = await call.send(live());
    expect(Math.abs(usage.inputTokens - call.inputTokens)).toBeLessThanOrEqual(call.inputTokens * COUNT_TOLERANCE);
    expect(usage.inputTokens + call.maxTokensOut).toBeLessThanOrEqual(settings.requestTokens * (1 + COUNT_TOLERANCE));
    expect(usage.costUsd).toBeLessThanOrEqual(call.maxUsd * (1 + COUNT_TOLERANCE));
    const { supported } = groundTopic(outputOf({ reading }), miniSession);
    expect(supported.keyPoints.length + supported.items.length).toBeGreaterThan(0);
  }, 150_000);

  it('serves the prefix from its cache on the second call', async () => {
    await sendCall(model.prepareWindow(input, live()));
    const { usage } = await sendCall(model.prepareWindow({ ...input, rows: miniSession.slice(2) }, live()));
    expect(usage.tokensCached).toBeGreaterThan(1_024);
    expect(usage.tokensCacheWritten).toBe(0);
  }, 300_000);

  it(
    'creates a batch, lists it, waits for its end and reads its results',
    async () => {
      const { batches } = model;
      if (batches === null) throw new Error('the model has no batches');
      const before = Date.now() - 60_000;
      const calls = [
        { customId: 'first', call: await model.prepareWindow(input, live()) },
        { customId: 'second', call: await model.prepareWindow({ ...input, rows: miniSession.slice(2) }, live()) },
      ];
      const submitted = await batches.submit(calls, live());
      expect(submitted).toMatchObject({ calls: 2 });
      expect((await batches.since(before, live())).map(({ batchId }) => batchId)).toContain(submitted.batchId);
      await until(
        async () => ((await batches.poll(submitted.batchId, live())).ended ? true : undefined),
        target === 'local' ? 5_000 : BATCH_MS,
        'the end of the batch',
      );
      const outcomes = new Map<string, BatchOutcome>();
      for await (const outcome of batches.results(submitted.batchId, live())) outcomes.set(outcome.customId, outcome);
      for (const { customId, call } of calls) {
        const outcome = outcomes.get(customId);
        if (outcome?.kind !== 'answered') throw new Error(`${customId}: ${String(outcome?.kind)}`);
        expect(call.read(outcome.text).ok).toBe(true);
        expect(outcome.usage).toMatchObject({ batch: true, model: call.model });
      }
    },
    BATCH_MS + 60_000,
  );

  it('rejects an invalid key', async () => {
    expect((await failure(modelWith('sk-ant-wrong').prepareWindow(input, live()))).kind).toBe('unauthorised');
  }, 240_000);
});
