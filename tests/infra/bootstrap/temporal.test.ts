import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { startTemporalFrontend } from '../../setup/temporal-frontend.ts';

const CREATE_SCHEDULE = 'workflowservice.v1.WorkflowService/CreateSchedule';
const METHODS = [
  'workflowservice.v1.WorkflowService/GetSystemInfo',
  'workflowservice.v1.WorkflowService/RegisterNamespace',
  'operatorservice.v1.OperatorService/ListSearchAttributes',
  'operatorservice.v1.OperatorService/AddSearchAttributes',
  CREATE_SCHEDULE,
];

/** Ends by itself once no call, and no retry of one, is under way. */
const SET_UP = `
const { bootstrapTemporal } = await import(${JSON.stringify(import.meta.resolve('../../../infra/bootstrap/temporal.ts'))});
await bootstrapTemporal({ address: process.argv[1], namespace: 'any' }).catch((error) => console.log(error.message));`;

test('a set-up that fails while other calls wait for their retry fails once, and ends no process', async () => {
  let creations = 0;
  const frontend = await startTemporalFrontend(METHODS, (method) => {
    if (method !== CREATE_SCHEDULE) return status.OK;
    creations += 1;
    // The last of the first attempts, when the others wait already.
    return creations === 5 ? status.INVALID_ARGUMENT : status.UNAVAILABLE;
  });
  try {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', SET_UP, frontend.address]);
    const [output, errors, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once('close', resolve)),
    ]);
    expect([exitCode, output, errors]).toEqual([0, expect.stringContaining('Failed to create schedule'), '']);
  } finally {
    frontend.stop();
  }
});
