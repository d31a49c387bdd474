import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const DIRECTORY = new URL('../../../../shared/data/longmemeval/', import.meta.url);

const question = z.looseObject({
  question_id: z.string(),
  question_type: z.string(),
  question: z.string(),
  answer_session_ids: z.array(z.string()),
  haystack_session_ids: z.array(z.string()),
  haystack_dates: z.array(z.string()),
});
const session = z.looseObject({
  session_id: z.string(),
  turns: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content: z.string() })),
});

export type LongQuestion = z.output<typeof question>;
export type LongSession = z.output<typeof session>;

function linesOf(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

/** Returns queries and sessions of the development split; null without the data beside the repository. */
export function readLongMemEval(): {
  readonly questions: readonly LongQuestion[];
  readonly sessions: ReadonlyMap<string, LongSession>;
} | null {
  if (!existsSync(DIRECTORY)) return null;
  const questions = z.array(question).parse(linesOf(readFileSync(new URL('questions-dev.jsonl', DIRECTORY), 'utf8')));
  const packed = readFileSync(new URL('sessions-dev.jsonl.gz', DIRECTORY));
  const sessions = z.array(session).parse(linesOf(gunzipSync(packed).toString('utf8')));
  return { questions, sessions: new Map(sessions.map((each) => [each.session_id, each])) };
}

/** Parses `2023/05/20 (Sat) 08:24` as UTC milliseconds. */
function timeOf(date: string): number {
  const [day = '', , time = ''] = date.split(' ');
  return Date.parse(`${day.replaceAll('/', '-')}T${time}:00Z`);
}

/**
 * Returns the sessions of one query as events in a namespace of its own: each turn a prompt with its role, no model calls. A session that
 * several queries share gets an id for each. No session ends: its summary would not be part of the measurement.
 */
export function eventsOf(
  query: LongQuestion,
  sessions: ReadonlyMap<string, LongSession>,
  roles: readonly ('user' | 'assistant')[],
): readonly Readonly<Record<string, unknown>>[] {
  return query.haystack_session_ids.flatMap((id, place) => {
    const common = {
      host: 'longmemeval',
      session_id: `${query.question_id}:${id}`,
      namespace: namespaceOf(query),
      infer: false,
    };
    const start = timeOf(query.haystack_dates[place] ?? '');
    return (sessions.get(id)?.turns ?? []).flatMap(({ role, content }, turn) =>
      roles.includes(role) && content.trim() !== ''
        ? [
            {
              ...common,
              type: 'prompt',
              role,
              content,
              key: `${query.question_id}:${id}:${turn}`,
              occurred_at: new Date(start + 1_000 * turn).toISOString(),
            },
          ]
        : [],
    );
  });
}

/** Returns the namespace of a query, without characters that a namespace may not contain. */
export function namespaceOf({ question_id: id }: LongQuestion): string {
  return `q-${id.toLowerCase().replaceAll(/[^a-z0-9-]/gu, '-')}`;
}
