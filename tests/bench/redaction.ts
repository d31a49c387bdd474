import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import type { CaptureRow, EventPart } from '../../domain/capture/event.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import { PERSONAL_KINDS } from '../../domain/redaction/personal/personal-data.ts';
import { Redactor } from '../../domain/redaction/redact.ts';
import { percentile } from './figures.ts';

/**
 * Manual review of removals in the shared sessions. Keys are those of `bench:redaction --review FILE`: the beginning of the SHA-256 of kind and
 * value. True: a secret or personal value. False: a false positive.
 */
const JUDGED_TRUE: ReadonlySet<string> = new Set([]);
const JUDGED_FALSE: ReadonlySet<string> = new Set([
  // A code host's server in a message about its unknown SSH key.
  '177c63525db579c0',
]);

// Removals of redaction in real sessions, false positives, and cost. Prints one JSON line; no network, no engines.
// `--review FILE` writes every distinct removal to a file outside the repository: judge it, and put its key into redaction-judged.ts.

const SHARED = fileURLToPath(new URL('../../../shared/data/coding-sessions/events', import.meta.url));
const OWNER = { tenantId: asId<TenantId>('bench'), userId: asId<UserId>('bench') };
const ROUNDS = 7;
const SMALL_RUNS = 4_000;
const KIB = 1024;

const hookSchema = z.looseObject({ hook_event_name: z.string(), session_id: z.string(), timestamp: z.string() });
type Hook = z.infer<typeof hookSchema>;

interface Removal {
  readonly kind: string;
  readonly value: string;
  readonly around: string;
}

function readHooks(): Hook[] {
  return readdirSync(SHARED)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .flatMap((name) => readFileSync(path.join(SHARED, name), 'utf8').trim().split('\n'))
    .map((line) => hookSchema.parse(JSON.parse(line)));
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(stringsIn);
}

function textsOf(part: EventPart): string[] {
  switch (part.kind) {
    case 'prompt':
      return [part.content];
    case 'tool':
      return [...stringsIn(part.input), ...stringsIn(part.response), ...(part.error === null ? [] : [part.error])];
    case 'note':
      return [part.title, ...stringsIn(part.content)];
    case 'boundary':
      return part.reason === null ? [] : [part.reason];
  }
}

/** Returns the removed texts, located by the context of each mark. */
function removalsFrom(original: string, clean: string): Removal[] {
  const pieces = clean.split(/(\[redacted:[\w-]{1,40}\]|\[private\])/);
  const removals: Removal[] = [];
  let position = pieces[0]?.length ?? 0;
  for (let at = 1; at < pieces.length; at += 2) {
    const mark = pieces[at] ?? '';
    if (original.startsWith(mark, position)) {
      position += mark.length + (pieces[at + 1] ?? '').length;
      continue;
    }
    const next = pieces[at + 1] ?? '';
    const end = next === '' && at + 2 >= pieces.length ? original.length : original.indexOf(next, position + 1);
    const value = original.slice(position, end < 0 ? undefined : end);
    const around = original.slice(Math.max(0, position - 60), position + value.length + 30);
    removals.push({ kind: mark.replaceAll(/[[\]]|redacted:/g, ''), value, around });
    position += value.length + next.length;
  }
  return removals;
}

const keyOf = ({ kind, value }: Removal) =>
  createHash('sha256').update(`${kind}\u0000${value}`, 'utf8').digest('hex').slice(0, 16);

const count = (names: readonly string[]): Record<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([one], [other]) => one.localeCompare(other)));
};

/** Returns microseconds of processor time per KiB, the median of some rounds: independent of other load. */
function microsecondsPerKib(texts: readonly string[]): number {
  const kib = texts.reduce((sum, text) => sum + Buffer.byteLength(text, 'utf8'), 0) / KIB;
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (const text of texts) new Redactor().text(text);
    rounds.push(process.cpuUsage(before).user / kib);
  }
  return percentile(rounds, 0.5);
}

/** Returns microseconds per redaction of a text of 1 KiB. */
function smallTimes(text: string): { readonly p50: number; readonly p99: number } {
  const times: number[] = [];
  for (let run = 0; run < SMALL_RUNS; run += 1) {
    const started = performance.now();
    new Redactor().text(text);
    times.push((performance.now() - started) * 1_000);
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

function measure(review: string | undefined): unknown {
  if (!existsSync(SHARED)) return { skipped: 'no shared data' };
  const events = readHooks().flatMap((hook) => {
    const event = translateHook(hook.hook_event_name, hook, null);
    return event === null ? [] : [event];
  });
  const rows = events.flatMap((event) => buildCaptureEvent(event, OWNER, new Date(0)).rows);
  const stored = rows.filter((row): row is Exclude<CaptureRow, { kind: 'boundary' }> => row.kind !== 'boundary');
  const texts = events.flatMap((event) => event.parts.flatMap(textsOf));
  const everything = texts.flatMap((text) =>
    removalsFrom(text, new Redactor({ removeClasses: ['sensitive', 'restricted'] }).cleanText(text)),
  );
  const distinct = [...new Map(everything.map((removal) => [keyOf(removal), removal])).entries()];
  if (review !== undefined) {
    const judged = (key: string) => (JUDGED_TRUE.has(key) ? 'true' : JUDGED_FALSE.has(key) ? 'false' : '?');
    const lines = distinct.map(([key, removal]) => JSON.stringify({ key, judged: judged(key), ...removal }));
    writeFileSync(review, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const isFalse = (removal: Removal) => JUDGED_FALSE.has(keyOf(removal));
  const removedPieces = everything.filter((removal) => PERSONAL_KINDS.get(removal.kind) !== 'sensitive');
  const classOnly = everything.filter((removal) => PERSONAL_KINDS.get(removal.kind) === 'sensitive');
  const unjudged = distinct.filter(([key]) => !JUDGED_TRUE.has(key) && !JUDGED_FALSE.has(key)).length;
  const removed = stored.flatMap((row) => Object.entries(row.redactions ?? {}));
  const oneKib = Buffer.from(texts.join('\n'), 'utf8').toString('utf8', 5_000, 5_000 + KIB);
  return {
    rows: stored.length,
    removed_per_1000_rows: Object.fromEntries(
      Object.entries(count(removed.flatMap(([kind, times]) => Array.from({ length: times }, () => kind)))).map(
        ([kind, times]) => [kind, Math.round((times / stored.length) * 10_000) / 10],
      ),
    ),
    rows_by_class: count(stored.map((row) => row.data_class)),
    removed: removedPieces.length,
    removed_false: removedPieces.filter(isFalse).length,
    removed_false_per_1000_rows: Math.round((removedPieces.filter(isFalse).length / stored.length) * 10_000) / 10,
    found_for_class_only: count(classOnly.map((removal) => removal.kind)),
    found_for_class_only_false: classOnly.filter(isFalse).length,
    distinct: distinct.length,
    unjudged,
    cpu_us_per_kib: microsecondsPerKib(texts),
    one_kib_us: smallTimes(oneKib),
  };
}

const { values } = parseArgs({ options: { review: { type: 'string' } } });
process.stdout.write(`${JSON.stringify(measure(values.review))}\n`);
