import { ApplicationFailure } from '@temporalio/common';
import { workflowIdOf } from '../../workflows/registry.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';
import { ENDED, script, SESSION, start, TENANT } from './session-script.ts';

/** The shapes that the history of a session's learnings can have. */
export const LEARNING_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'learning',
    shape: 'happy',
    activities: () => script([ENDED]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION));
    },
  },
  {
    workflow: 'learning',
    shape: 'failed',
    activities: () => {
      let calls = 0;
      return script([ENDED], {
        extractLearnings: async () => {
          calls += 1;
          if (calls <= 3)
            throw ApplicationFailure.create({ type: 'ProviderOverloaded', message: 'overloaded', nextRetryDelay: 50 });
          return { written: 0, calls: 1, tokens: 1, usd: 0, pending: 0 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      const child = client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION));
      const failed = await until(async () => {
        const description = await child.describe().catch(() => undefined);
        return description?.status.name === 'FAILED' ? description.runId : undefined;
      });
      await handle.result();
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION), failed);
    },
  },
  {
    workflow: 'learning',
    shape: 'database-away',
    activities: () => {
      let calls = 0;
      return script([ENDED], {
        extractLearnings: async () => {
          calls += 1;
          if (calls <= 4)
            throw ApplicationFailure.create({ type: 'DatabaseUnavailable', message: 'away', nextRetryDelay: 50 });
          return { written: 0, calls: 1, tokens: 1, usd: 0, pending: 0 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      const child = client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION));
      const { runId } = await until(() => child.describe().catch(() => undefined));
      await handle.result();
      return client.workflow.getHandle(workflowIdOf('learning', TENANT, SESSION), runId);
    },
  },
];
