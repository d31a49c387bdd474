import type { Session, Summary } from '../../contract/sessions.ts';
import { gapLines } from './gap-text.ts';
import { minuteOf, wrap } from './text-layout.ts';
import { terminalText } from './terminal-text.ts';

const MAX_FILES = 20;

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', heading, ...lines];
}

function prose(heading: string, text: string | null): string[] {
  return text === null || text.trim() === '' ? [] : section(heading, wrap(text, '  '));
}

function bullets(heading: string, texts: readonly string[], mark = '-'): string[] {
  return section(
    heading,
    texts.flatMap((text) => wrap(text, ' '.repeat(mark.length + 3), `  ${mark} `)),
  );
}

function files(heading: string, paths: readonly string[]): string[] {
  const shown = paths.slice(0, MAX_FILES).map((path) => `  ${path}`);
  return section(heading, paths.length > MAX_FILES ? [...shown, `  and ${paths.length - MAX_FILES} more`] : shown);
}

function headOf(session: Session, own: Summary | undefined): string[] {
  const place = session.project === null ? '' : ` in ${session.project.name}`;
  const from = `${session.host}:${session.external_id}${place}, ${minuteOf(session.started_at)}`;
  const to = session.ended_at === null ? `, ${session.status}` : ` to ${minuteOf(session.last_event_at)}`;
  const written =
    own === undefined
      ? []
      : [
          `${own.hash}, version ${own.version} by ${own.model}`,
          `this call: ${own.input_tokens} + ${own.output_tokens} tokens, ${own.cost_usd.toFixed(4)} USD; all calls: recollect usage --group-by session`,
        ];
  return [own?.title ?? session.title ?? 'A session without a title', `${from}${to} UTC`, ...written];
}

/** Returns the session summary as notes; the topics while there is no session summary. */
export function summaryText(session: Session, written: readonly Summary[]): string {
  const own = written.find((summary) => summary.type === 'session');
  const topics = written.filter((summary) => summary.type === 'topic');
  const items = written.filter((summary) => summary.type === 'item');
  const body =
    own === undefined
      ? topics.flatMap((topic) => prose(topic.title, topic.content))
      : [
          ...prose('Request', own.request),
          ...prose('Investigated', own.investigated),
          ...prose('Learned', own.learned),
          ...prose('Completed', own.completed),
          ...prose('Next steps', own.next_steps),
          ...prose('Notes', own.notes),
          ...bullets(
            'Key points',
            own.key_points.map((point) => point.text),
          ),
          ...bullets(
            'To do',
            own.action_items.map((point) => point.text),
            '[ ]',
          ),
        ];
  const sources = own === undefined ? topics : [own];
  const lines = [
    ...headOf(session, own),
    ...gapLines(session),
    ...(written.length === 0 ? ['', 'No summary yet: --now creates one.'] : body),
    ...bullets(
      'Items',
      items.map((item) => `${item.kind ?? 'item'}: ${item.title === '' ? item.content : item.title} [${item.hash}]`),
    ),
    ...files('Files changed', [...new Set(sources.flatMap((summary) => summary.files_modified))]),
    ...files('Files read', [...new Set(sources.flatMap((summary) => summary.files_read))]),
  ];
  return `${terminalText(lines.join('\n'))}\n`;
}
