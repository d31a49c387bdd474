import { writeSync } from 'node:fs';
import { answersByField, bringsContext } from './hosts.ts';
import type { NamedEvent } from './hosts.ts';

/** Capacity of a pipe without a reader, so that writing cannot block. */
const PRINTED_BYTES = 48 * 1024;

function textOf(value: unknown, field: string): string | null {
  if (value === null || typeof value !== 'object') return null;
  const text: unknown = Object.entries(value).find(([name]) => name === field)?.[1];
  return typeof text === 'string' && text !== '' ? text : null;
}

/**
 * Returns the server's response for the host as one line of JSON; empty for none. Contains only the two fields that hosts
 * support: other fields of a later server never reach the agent.
 */
export function hostAnswer(named: NamedEvent, body: string): string {
  if (body === '' || !bringsContext(named)) return '';
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return ''; // Not Recollect; the agent continues without context.
  }
  const shown = answersByField(named.host) ? fieldAnswer(answer) : claudeAnswer(named.event, answer);
  if (Object.keys(shown).length === 0) return '';
  const line = `${JSON.stringify(shown)}\n`;
  // Dropped, not truncated: a partial block would lack its end tag.
  return Buffer.byteLength(line) <= PRINTED_BYTES ? line : '';
}

function fieldAnswer(answer: unknown): object {
  const context = textOf(answer, 'additional_context');
  return context === null ? {} : { additional_context: context };
}

function claudeAnswer(event: string, answer: unknown): object {
  const specific =
    answer !== null && typeof answer === 'object' && 'hookSpecificOutput' in answer ? answer.hookSpecificOutput : null;
  const context = textOf(specific, 'additionalContext');
  const message = textOf(answer, 'systemMessage');
  return {
    ...(context === null ? {} : { hookSpecificOutput: { hookEventName: event, additionalContext: context } }),
    ...(message === null ? {} : { systemMessage: message }),
  };
}

/** Writes to the host synchronously; ignores a closed pipe. */
export function print(text: string): void {
  if (text === '') return;
  try {
    writeSync(1, text);
  } catch {
    // Closed or full: the agent continues without context.
  }
}
