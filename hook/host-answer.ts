import { writeSync } from 'node:fs';
import { answersByField, bringsContext } from './hosts.ts';
import type { NamedEvent } from './hosts.ts';

/** A pipe takes this much without anybody reading it, so writing cannot hang. */
const PRINTED_BYTES = 48 * 1024;

function textOf(value: unknown, field: string): string | null {
  if (value === null || typeof value !== 'object') return null;
  const text: unknown = Object.entries(value).find(([name]) => name === field)?.[1];
  return typeof text === 'string' && text !== '' ? text : null;
}

/**
 * What the host may be told of the server's answer, as one line of JSON; empty for nothing. Made anew from the two fields that hosts
 * take: a decision or a field that a later server may answer never reaches the agent.
 */
export function hostAnswer(named: NamedEvent, body: string): string {
  if (body === '' || !bringsContext(named)) return '';
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return ''; // No Recollect; the agent goes on without context.
  }
  const shown = answersByField(named.host) ? fieldAnswer(answer) : claudeAnswer(named.event, answer);
  if (Object.keys(shown).length === 0) return '';
  const line = `${JSON.stringify(shown)}\n`;
  // Left out rather than cut: half a block of context would lose the tag that ends it.
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

/** Writes to the host at once; a host that went away is not told. */
export function print(text: string): void {
  if (text === '') return;
  try {
    writeSync(1, text);
  } catch {
    // Closed, or full and not read: the agent goes on without context.
  }
}
