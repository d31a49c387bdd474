import type { Command } from 'commander';
import type { z } from 'zod';
import { RecollectError } from '../../../client/index.ts';
import { fetchedMemories, forgottenMemory, forgottenSchema } from '../../../contract/memory.ts';
import type { MemorySource } from '../../../contract/memory.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { isMemoryName } from '../../options.ts';
import type { Output } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { missingText } from '../../text/failure-text.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { writeRecalled } from '../../text/memory-text.ts';
import { counted, minuteOf, short } from '../../text/text-layout.ts';

interface ForgetOptions {
  readonly session?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly withSources?: boolean;
}

type Sources = z.output<typeof forgottenMemory>['sources'];

/** What goes with a target. */
interface Preview {
  readonly text: string;
  /** Sources that remain unless they are forgotten, too. */
  readonly sources: readonly MemorySource[];
  /** True for a summary: it cannot be forgotten without its sources. */
  readonly needsSources: boolean;
}

/** A session, an event or a memory to forget. */
interface Target {
  readonly preview: (withSources: boolean) => Promise<Preview>;
  /** Returns the sources that remain; null if there are none. */
  readonly forget: (withSources: boolean) => Promise<Sources | null>;
}

const TITLE_CHARS = 90;
const NAMES: Readonly<Record<string, string>> = {
  prompts: 'prompts',
  observations: 'observations',
  boundaries: 'boundaries',
  summaries: 'summaries',
  windows: 'windows to be summarised again',
  evidence: 'quotes of learnings',
  learnings: 'learnings without remaining evidence',
  vectors: 'vectors',
};

function countsText(name: string, { forgotten }: z.output<typeof forgottenSchema>): string {
  const counts = Object.entries(forgotten).filter(([, count]) => count > 0);
  return `${name} loses\n${counts.map(([kind, count]) => `  ${counted(count, NAMES[kind] ?? kind)}\n`).join('')}`;
}

function rowsTarget(
  name: string | null,
  remove: (dryRun: boolean) => Promise<z.output<typeof forgottenSchema>>,
): Target {
  return {
    preview: async () => {
      const counts = await remove(true);
      return { text: countsText(name ?? counts.key ?? 'This event', counts), sources: [], needsSources: false };
    },
    forget: async () => {
      await remove(false);
      return null;
    },
  };
}

/** Thrown for a word that names nothing; the message is for the user. */
class UnknownName extends Error {}

/** Returns what to do about a word that names neither a memory nor an event. */
async function unknownName(server: ServerClient, word: string): Promise<UnknownName> {
  const session = await server.session(word).catch(() => null);
  if (session === null) return new UnknownName(missingText(isMemoryName(word) ? 'memory' : 'event', word));
  const name = terminalText(word);
  return new UnknownName(`${name} is a session. To forget it: recollect forget --session ${name}\n`);
}

function eventTarget(server: ServerClient, key: string, session: string | undefined): Target {
  return rowsTarget(null, async (dryRun) => {
    try {
      const query = { session, dry_run: dryRun };
      return await server.request('DELETE', path`/events/${key}`, forgottenSchema, { query });
    } catch (error) {
      throw isMissing(error) && dryRun && session === undefined ? await unknownName(server, key) : error;
    }
  });
}

function sessionTarget(server: ServerClient, session: string): Target {
  return rowsTarget('This session', (dryRun) =>
    server.request('DELETE', path`/sessions/${session}`, forgottenSchema, { query: { dry_run: dryRun } }),
  );
}

type Memory = z.output<typeof fetchedMemories>['data'][number];

function sourceText({ hash, type, kind, session, preview, occurred_at: at }: MemorySource): string {
  const of = session === null ? '' : `  session ${session.external_id}`;
  return `  ${hash}  ${type}/${kind}  ${minuteOf(at)} UTC${terminalText(of)}\n    ${terminalText(short(preview, TITLE_CHARS))}\n`;
}

function memoryTarget(server: ServerClient, { id, hash, type, kind, title, content }: Memory): Target {
  const text = terminalText(short(title === '' ? content : title, TITLE_CHARS));
  const remove = (withSources: boolean, dryRun: boolean) =>
    server.request('DELETE', path`/memories/${id}`, forgottenMemory, {
      query: { with_sources: withSources, dry_run: dryRun },
    });
  return {
    preview: async (withSources) => {
      const { sources } = await remove(true, true);
      const rest = sources.remaining_count;
      const lines = [
        `${hash} loses\n  ${type}/${kind}${type === 'learning' ? ', all its versions' : ''}: ${text}\n`,
        ...(sources.forgotten.length === 0
          ? []
          : [
              withSources ? 'These sources are forgotten, too\n' : 'It was made from\n',
              ...sources.forgotten.map(sourceText),
            ]),
        ...(rest === 0 ? [] : [`  and ${rest} more, which remain in any case\n`]),
      ];
      return { text: lines.join(''), sources: sources.forgotten, needsSources: type === 'summary' };
    },
    forget: async (withSources) => {
      const { sources } = await remove(withSources, false);
      return sources.remaining_count === 0 ? null : sources;
    },
  };
}

/** Resolves each word to a memory by hash or id, else to a captured event. Observations and prompts resolve to their events. */
async function targetsOf(
  server: ServerClient,
  words: readonly string[],
  session: string | undefined,
): Promise<Target[]> {
  if (words.length === 0) return session === undefined ? [] : [sessionTarget(server, session)];
  const ids = session === undefined ? words.filter(isMemoryName) : [];
  const { data } = ids.length === 0 ? { data: [] } : await server.post('/memories/get', fetchedMemories, { ids });
  const known = new Map(data.flatMap((found) => [[found.id, found] as const, [found.hash, found] as const]));
  return words.map((word) => {
    const found = known.get(word.toLowerCase());
    if (found === undefined) return eventTarget(server, word, session);
    const isRow = found.type === 'observation' || found.type === 'prompt';
    return isRow ? eventTarget(server, found.id, undefined) : memoryTarget(server, found);
  });
}

/** Returns what search still finds, and how to remove it. */
function remainingText(remaining: readonly Sources[]): string {
  const hashes = [...new Set(remaining.flatMap((sources) => sources.remaining.map(({ hash }) => hash)))];
  const unlisted = remaining.reduce((sum, sources) => sum + sources.remaining_count - sources.remaining.length, 0);
  return [
    ...(hashes.length === 0
      ? []
      : [`Sources remain, and search finds them. To forget them, too:\n  recollect forget ${hashes.join(' ')}\n`]),
    ...(unlisted === 0
      ? []
      : [
          `${unlisted} more sources remain, of other users or beyond the limit. An admin removes words everywhere:\n  recollect erase text 'WORDS'\n`,
        ]),
  ].join('');
}

/** A memory shown in the preview may have been forgotten as a source of one before it. */
function goneBefore(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function isMissing(error: unknown): boolean {
  return error instanceof RecollectError && error.code === 'NOT_FOUND';
}

async function forgetAll(targets: readonly Target[], options: ForgetOptions, output: Output): Promise<ExitCode> {
  if (targets.length === 0) {
    output.err('Missing argument: name a memory or an event, or a session with --session.\n');
    return 1;
  }
  const previews: Preview[] = [];
  try {
    for (const target of targets) previews.push(await target.preview(options.withSources === true));
  } catch (error) {
    if (!(error instanceof UnknownName)) throw error;
    output.err(error.message);
    return 1;
  }
  writeRecalled(output, previews.map(({ text }) => text).join(''));
  if (options.dryRun === true) return 0;
  const isConfirmed =
    options.yes === true ||
    (await confirm('Forget permanently? (Only recollect erase reaches older backups.)', output));
  if (!isConfirmed) {
    output.err('Nothing was forgotten. Without a terminal, pass --yes.\n');
    return 1;
  }
  let withSources = options.withSources === true;
  if (!withSources && options.yes !== true && previews.some(({ sources }) => sources.length > 0))
    withSources = await confirm('Forget what it was made from, too?', output);
  if (!withSources && previews.some(({ needsSources }) => needsSources)) {
    output.err('Nothing was forgotten. A summary is written again from its sources: pass --with-sources.\n');
    return 1;
  }
  const remaining: Sources[] = [];
  for (const target of targets) {
    const sources = await target.forget(withSources).catch(goneBefore);
    if (sources !== null) remaining.push(sources);
  }
  output.out(
    `Forgotten. Spools, transcripts and hooks cannot restore it; an older backup, restored on another machine, can.\n${remainingText(remaining)}`,
  );
  return 0;
}

export function addForget(program: Command, cli: Cli): void {
  cli
    .command(program, 'forget', 'forget memories and events permanently, or with --session alone a session')
    .argument('[names...]', 'hashes or ids of memories; tool use ids, delivery ids or keys of events')
    .option('--session <id>', 'session of the event: id or host:id')
    .option('--with-sources', 'forget the prompts and events that a memory was made from, too')
    .option('--dry-run', 'show the affected rows and forget nothing')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .action(
      cli.onServer(async (server, words: readonly string[], options: ForgetOptions) =>
        forgetAll(await targetsOf(server, words, options.session), options, cli.output),
      ),
    );
}
