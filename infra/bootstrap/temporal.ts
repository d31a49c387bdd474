import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { DEFAULT_SCHEDULES } from '../../config/schedule-settings.ts';
import type { ScheduleName } from '../../workflows/registry.ts';
import { connectForSetUp } from '../../stores/temporal/client.ts';
import type { TemporalOptions } from '../../stores/temporal/client.ts';
import { bootstrapSchedules } from './schedules.ts';
import type { ScheduleTimes } from './schedules.ts';
import { ATTRIBUTE_TYPE, compareAttributes, retypingAdvice } from './search-attributes.ts';

export interface TemporalBootstrap extends TemporalOptions {
  /** Times of the schedules; default: the defaults of the settings. */
  readonly schedules?: ScheduleTimes;
  /** Schedules to create; default: all. */
  readonly operations?: readonly ScheduleName[];
}

const RETENTION_MS = 7 * 24 * 3_600_000;
const SWEEP_INTERVAL_MS = 60_000;
const ALREADY_EXISTS = 6;
const PERMISSION_DENIED = 7;

function hasCode(error: unknown, code: number): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/**
 * Creates a namespace unless it exists. A hosted one exists, and its clients must not create any. Not read first: the server would then
 * report a new one as missing for a while.
 */
async function ensureNamespace({ workflowService }: Connection, namespace: string): Promise<void> {
  try {
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs(RETENTION_MS) });
  } catch (error) {
    if (hasCode(error, PERMISSION_DENIED)) await workflowService.describeNamespace({ namespace });
    else if (!hasCode(error, ALREADY_EXISTS)) throw error;
  }
}

/**
 * Creates or updates namespace, search attributes and schedules. Idempotent. @throws Error with the remedy if a search attribute exists with another
 * type, which cannot be changed
 */
export async function bootstrapTemporal(options: TemporalBootstrap): Promise<void> {
  const connection = await connectForSetUp(options);
  try {
    await ensureNamespace(connection, options.namespace);
    const known = await connection.operatorService.listSearchAttributes({ namespace: options.namespace });
    const { missing, mistyped } = compareAttributes(known.customAttributes);
    if (mistyped.length > 0)
      throw new Error(
        `search attributes of another type than Keyword: ${mistyped.join(', ')}. ${retypingAdvice(options.namespace, mistyped)}`,
      );
    if (missing.length > 0) {
      await connection.operatorService.addSearchAttributes({
        namespace: options.namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, ATTRIBUTE_TYPE])),
      });
    }
    const client = new Client({ connection, namespace: options.namespace });
    await bootstrapSchedules(
      client,
      options.schedules ?? { ...DEFAULT_SCHEDULES, sweepIntervalMs: SWEEP_INTERVAL_MS, readsTranscripts: true },
      options.operations,
    );
  } finally {
    await connection.close();
  }
}
