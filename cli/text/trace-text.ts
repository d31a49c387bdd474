import type { z } from 'zod';
import type { traceAnswer, TraceAnswer } from '../../contract/trace.ts';
import { memoryHash } from '../../domain/memory.ts';
import { table } from '../output.ts';
import { terminalText } from './terminal-text.ts';
import { short } from './text-layout.ts';

/** Completed, pending, failed, not applicable. */
type Mark = '✓' | '…' | '✗' | '·';

interface Step {
  readonly mark: Mark;
  readonly name: string;
  readonly text: string;
}

const TITLE_CHARS = 60;
const KEY_CHARS = 80;

function capturedSteps(trace: TraceAnswer): Step[] {
  const redacted = trace.rows.flatMap((row) => Object.entries(row.redactions ?? {}));
  return [
    { mark: '✓', name: 'captured', text: `${trace.received_at} by ${trace.source}, happened ${trace.occurred_at}` },
    {
      mark: '✓',
      name: 'stored',
      text: trace.rows
        .map(
          (row) =>
            `${row.kind} ${row.seq} (${row.tool ?? row.type}${row.agent_id === null ? '' : `, agent ${row.agent_id}`}) ${row.kind === 'boundary' ? row.id : memoryHash(row.id)}`,
        )
        .join('; '),
    },
    {
      mark: redacted.length === 0 ? '·' : '✓',
      name: 'redacted',
      text: redacted.length === 0 ? 'nothing' : redacted.map(([kind, count]) => `${count} × ${kind}`).join(', '),
    },
    trace.consumed
      ? {
          mark: trace.rows.every((row) => row.words_indexed) ? '✓' : '✗',
          name: 'consumed',
          text: `${trace.rows.reduce((sum, row) => sum + row.tokens, 0)} tokens, words indexed`,
        }
      : { mark: '…', name: 'consumed', text: 'not yet consumed by the workflow' },
  ];
}

function windowStep(trace: TraceAnswer): Step {
  const { window } = trace;
  if (window === null)
    return trace.infer
      ? { mark: '…', name: 'window', text: 'none yet' }
      : { mark: '·', name: 'window', text: 'none: the session is stored and indexed without summaries' };
  const attempts = window.attempts === 0 ? '' : `, ${window.attempts} attempts`;
  const text = `${window.n}, closed for ${window.reason} at ${window.created_at}, ${window.state}${attempts}${window.error === null ? '' : `: ${window.error}`}`;
  return { mark: window.state === 'summarised' ? '✓' : window.state === 'parked' ? '✗' : '…', name: 'window', text };
}

function textSteps(name: string, texts: TraceAnswer['summaries']): Step[] {
  return texts.map((text) => ({
    mark: '✓',
    name,
    text: `${text.type}${text.quotes ? ', quotes it' : ''}: ${short(text.title, TITLE_CHARS)} ${memoryHash(text.id)}`,
  }));
}

function chunkStep(chunk: TraceAnswer['embeddings'][number]): Step {
  const name = `vector ${chunk.chunk}`;
  const attempts = chunk.attempts === 0 ? '' : `, ${chunk.attempts} attempts`;
  const error = chunk.error === null ? '' : `: ${chunk.error}`;
  if (chunk.state !== 'indexed')
    return { mark: chunk.state === 'failed' ? '✗' : '…', name, text: `${chunk.state}${attempts}${error}` };
  const where =
    chunk.in_index === null ? 'Weaviate is unavailable' : chunk.in_index ? 'in Weaviate' : 'missing in Weaviate';
  return {
    mark: chunk.in_index === false ? '✗' : chunk.in_index === null ? '…' : '✓',
    name,
    text: `${chunk.model}, written ${chunk.indexed_at ?? 'at an unknown time'}, ${where}`,
  };
}

function workflowStep(trace: TraceAnswer): Step {
  const { workflow } = trace;
  if (workflow === null) return { mark: '·', name: 'workflow', text: 'none' };
  const waits = workflow.waiting_reason === null ? '' : `, waits for ${workflow.waiting_reason}`;
  const mark =
    workflow.state === 'failed' || workflow.state === 'terminated' ? '✗' : workflow.state === 'completed' ? '✓' : '…';
  return { mark, name: 'workflow', text: `${workflow.state}, ${workflow.phase ?? 'no phase'}${waits} ${workflow.id}` };
}

const STEP_NAMES: Readonly<Record<TraceAnswer['steps'][number]['name'], string>> = {
  deliver: 'delivered',
  consume: 'consumed',
  index_row: 'vectors of the rows',
  window: 'window closed',
  summarise: 'summarised',
  index_summary: 'vectors of the summaries',
  learn: 'learned',
  index_learning: 'vectors of the learnings',
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Returns a duration in ms, seconds or minutes. */
function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${ms} ms`;
  return ms < MINUTE_MS ? `${(ms / SECOND_MS).toFixed(1)} s` : `${(ms / MINUTE_MS).toFixed(1)} min`;
}

/** Returns the times of an event's steps, and its traces. */
function timesText({ steps, trace_ids: traceIds }: TraceAnswer): string {
  const rows = steps.map(({ name, started_at: startedAt, duration_ms: ms }) => [
    '',
    STEP_NAMES[name],
    ms === null ? 'not complete' : durationText(ms),
    `from ${startedAt}`,
  ]);
  const traces = traceIds.length === 0 ? '' : `traces ${traceIds.join(', ')}\n`;
  return `times\n${table(rows)}${traces}`;
}

/** Returns the steps of one event with their outcome: ✓ completed, … pending, ✗ failed. */
export function traceText(trace: TraceAnswer): string {
  const { session } = trace;
  const vectors: Step[] =
    trace.embeddings.length === 0 && trace.rows.some((row) => row.kind !== 'boundary')
      ? [{ mark: '…', name: 'vector', text: 'not requested yet' }]
      : trace.embeddings.map(chunkStep);
  const steps = [
    ...capturedSteps(trace),
    ...vectors,
    windowStep(trace),
    ...textSteps('summary', trace.summaries),
    ...textSteps('learning', trace.learnings),
    workflowStep(trace),
  ];
  const of = `${session.host}:${session.external_id}${session.project === null ? '' : ` in ${session.project}`}, ${session.status}`;
  return `${trace.key}\nof ${of} (${session.id})\n${table(steps.map((step) => [` ${step.mark}`, step.name, step.text]))}${timesText(trace)}`;
}

/** Returns the events that share an id, one line each. */
export function matchesText(traces: readonly TraceAnswer[]): string {
  const rows = traces.map((trace) => [
    `  ${trace.session.host}:${trace.session.external_id}`,
    trace.received_at,
    trace.rows[0]?.kind ?? '',
    trace.key,
  ]);
  return `${traces.length} events match. Choose the session with --session:\n${table(rows)}`;
}

/** Returns the message for an event that was not found. */
export function nothingText(key: string, found: z.output<typeof traceAnswer>): string {
  const forgotten = found.forgotten.map(
    (row) => `Forgotten in ${row.host}:${row.external_id} at ${row.forgotten_at}.\n`,
  );
  if (forgotten.length > 0) return forgotten.join('');
  const event = `No event ${terminalText(short(key, KEY_CHARS))}`;
  return found.searched_sessions === null
    ? `${event} in that session.\n`
    : `${event} in the newest ${found.searched_sessions} sessions. Choose an older one with --session.\n`;
}
