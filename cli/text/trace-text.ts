import type { Trace, Traces } from '../server/steering.ts';
import { table } from '../output.ts';
import { short } from './time-text.ts';

/** Done, still to come, gone wrong. */
type Mark = '✓' | '…' | '✗' | '·';

interface Step {
  readonly mark: Mark;
  readonly name: string;
  readonly told: string;
}

const TITLE_CHARS = 60;

function capturedSteps(trace: Trace): Step[] {
  const redacted = trace.rows.flatMap((row) => Object.entries(row.redactions ?? {}));
  return [
    { mark: '✓', name: 'captured', told: `${trace.received_at} by ${trace.source}, happened ${trace.occurred_at}` },
    {
      mark: '✓',
      name: 'stored',
      told: trace.rows
        .map(
          (row) =>
            `${row.kind} ${row.seq} (${row.tool ?? row.type}${row.agent_id === null ? '' : `, agent ${row.agent_id}`}) ${row.id}`,
        )
        .join('; '),
    },
    {
      mark: redacted.length === 0 ? '·' : '✓',
      name: 'redacted',
      told: redacted.length === 0 ? 'nothing' : redacted.map(([kind, count]) => `${count} × ${kind}`).join(', '),
    },
    trace.consumed
      ? {
          mark: trace.rows.every((row) => row.words_indexed) ? '✓' : '✗',
          name: 'taken in',
          told: `${trace.rows.reduce((sum, row) => sum + row.tokens, 0)} tokens, words indexed`,
        }
      : { mark: '…', name: 'taken in', told: 'not yet: the workflow has not come so far' },
  ];
}

function windowStep(trace: Trace): Step {
  const { window } = trace;
  if (window === null)
    return trace.infer
      ? { mark: '…', name: 'window', told: 'not cut yet' }
      : { mark: '·', name: 'window', told: 'none: the session is stored and indexed only' };
  const tries = window.attempts === 0 ? '' : `, ${window.attempts} tries`;
  const told = `${window.n}, cut for ${window.reason} at ${window.created_at}, ${window.state}${tries}${window.error === null ? '' : `: ${window.error}`}`;
  return { mark: window.state === 'summarised' ? '✓' : window.state === 'parked' ? '✗' : '…', name: 'window', told };
}

function textSteps(name: string, texts: Trace['summaries']): Step[] {
  return texts.map((text) => ({
    mark: '✓',
    name,
    told: `${text.type}${text.quotes ? ', quotes it' : ''}: ${short(text.title, TITLE_CHARS)} ${text.id}`,
  }));
}

function chunkStep(chunk: Trace['embeddings'][number]): Step {
  const name = `vector ${chunk.chunk}`;
  const tries = chunk.attempts === 0 ? '' : `, ${chunk.attempts} tries`;
  const error = chunk.error === null ? '' : `: ${chunk.error}`;
  if (chunk.state !== 'indexed')
    return { mark: chunk.state === 'failed' ? '✗' : '…', name, told: `${chunk.state}${tries}${error}` };
  const where =
    chunk.in_index === null
      ? 'Weaviate does not answer'
      : chunk.in_index
        ? 'stands in Weaviate'
        : 'is missing in Weaviate';
  return {
    mark: chunk.in_index === false ? '✗' : chunk.in_index === null ? '…' : '✓',
    name,
    told: `${chunk.model}, written ${chunk.indexed_at ?? 'at an unknown time'}, ${where}`,
  };
}

function workflowStep(trace: Trace): Step {
  const { workflow } = trace;
  if (workflow === null) return { mark: '·', name: 'workflow', told: 'none is known' };
  const waits = workflow.waiting_reason === null ? '' : `, waits for ${workflow.waiting_reason}`;
  const mark =
    workflow.state === 'failed' || workflow.state === 'terminated' ? '✗' : workflow.state === 'completed' ? '✓' : '…';
  return { mark, name: 'workflow', told: `${workflow.state}, ${workflow.phase ?? 'no phase'}${waits} ${workflow.id}` };
}

/** One event's way as a list of steps, each with what became of it: ✓ done, … to come, ✗ gone wrong. */
export function traceText(trace: Trace): string {
  const { session } = trace;
  const vectors: Step[] =
    trace.embeddings.length === 0 && trace.rows.some((row) => row.kind !== 'boundary')
      ? [{ mark: '…', name: 'vector', told: 'not asked for yet' }]
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
  return `${trace.key}\nof ${of} (${session.id})\n${table(steps.map((step) => [` ${step.mark}`, step.name, step.told]))}`;
}

/** Several events that bear one name: one line each, so that the right one can be named. */
export function matchesText(traces: readonly Trace[]): string {
  const rows = traces.map((trace) => [
    `  ${trace.session.host}:${trace.session.external_id}`,
    trace.received_at,
    trace.rows[0]?.kind ?? '',
    trace.key,
  ]);
  return `${traces.length} events are called so. Name the session with --session:\n${table(rows)}`;
}

/** What to say where no event was found. */
export function nothingText(found: Traces): string {
  const forgotten = found.forgotten.map(
    (row) => `It was forgotten in ${row.host}:${row.external_id} at ${row.forgotten_at}.\n`,
  );
  if (forgotten.length > 0) return forgotten.join('');
  return found.searched_sessions === null
    ? 'There is no such event in that session.\n'
    : `There is no such event in the newest ${found.searched_sessions} sessions. Name an older one with --session.\n`;
}
