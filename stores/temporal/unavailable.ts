import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

/** Temporal did not respond in time, or no worker accepted the request. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
}

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
/** Cancelled, deadline exceeded, resource exhausted, unavailable: there was no response. */
const NO_ANSWER = new Set([1, 4, RESOURCE_EXHAUSTED, 14]);

function grpcCode(error: unknown): number | null {
  if (isGrpcServiceError(error)) return error.code;
  if (error instanceof Error && error.cause !== undefined) return grpcCode(error.cause);
  return null;
}

/** Returns true if Temporal responded with an error: it does so for an unknown page token, with several messages. */
export function isAnsweredError(error: unknown): boolean {
  const code = grpcCode(error);
  return code !== null && !NO_ANSWER.has(code);
}

/** Returns true if Temporal reports that the workflow does not exist or has ended. */
export function isNotFound(error: unknown): boolean {
  return (error instanceof Error && error.name === 'WorkflowNotFoundError') || grpcCode(error) === NOT_FOUND;
}

/** Between tries while Temporal is busy. */
const BUSY_MS = 100;

/**
 * Runs `work` with a deadline, and again while Temporal is busy. @throws TemporalUnavailable if it does not respond in time; errors that Temporal
 * responds with, as they are
 */
export async function answeredWithin<Result>(
  client: Client,
  timeoutMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const deadline = Date.now() + timeoutMs;
  for (;;)
    try {
      return await client.withDeadline(deadline, work);
    } catch (error) {
      if (grpcCode(error) === RESOURCE_EXHAUSTED && Date.now() + BUSY_MS < deadline) {
        await setTimeout(BUSY_MS);
        continue;
      }
      const isRejected = isNotFound(error) || grpcCode(error) === INVALID_ARGUMENT;
      if (!isRejected && (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || grpcCode(error) !== null))
        throw new TemporalUnavailable('Temporal does not answer, or no worker serves it', { cause: error });
      throw error;
    }
}
