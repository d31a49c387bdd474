import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const DIRECTORY = new URL('../../../../shared/data/coding-sessions/', import.meta.url);

const question = z.looseObject({
  id: z.string(),
  type: z.string(),
  question: z.string(),
  gold_events: z.array(z.string()),
  gold_sessions: z.array(z.string()),
});
const event = z.looseObject({ session_id: z.string(), event_id: z.string(), tool_use_id: z.string().optional() });

export type CodingQuestion = z.output<typeof question>;

function linesOf(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

/** Returns queries about the shared coding sessions; null without the data beside the repository. */
export function readCodingQuestions(): readonly CodingQuestion[] | null {
  if (!existsSync(DIRECTORY)) return null;
  return z.array(question).parse(linesOf(readFileSync(new URL('questions.jsonl', DIRECTORY), 'utf8')));
}

/** Returns the event of each row, by session and key of `replaySessions`: a tool's id, or the place in the session. */
export function eventsByKey(): ReadonlyMap<string, string> {
  const events = new URL('events/', DIRECTORY);
  const named = new Map<string, string>();
  for (const file of readdirSync(events)) {
    linesOf(readFileSync(new URL(file, events), 'utf8')).forEach((line, place) => {
      const { session_id: session, event_id: id, tool_use_id: useId } = event.parse(line);
      named.set(`${session} ${useId === undefined ? `demo-${session}-${place}` : `tool:${useId}`}`, id);
    });
  }
  return named;
}
