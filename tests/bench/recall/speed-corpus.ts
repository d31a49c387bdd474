import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { v7 } from 'uuid';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import { randomFrom } from '../../domain/support/random.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Folders with the sentences and lines of code: realistic text that every checkout has. */
const SOURCES = ['docs', 'activities', 'api', 'cli', 'config', 'domain', 'infra', 'models', 'stores', 'workflows'];
/** Embedded sentences: every memory is near one to three of them, like real memories near their subjects. */
const ANCHORS = 800;
const NAMES = 40_000;
const DAY_MS = 86_400_000;
const DAYS = 180;
const DIMENSION = 384;
/** Length of the noise added to a memory's anchors, whose vectors have length one. */
const NOISE = 0.45;

export interface SpeedMemory {
  readonly id: string;
  readonly type: MemoryType;
  readonly kind: string;
  readonly tool: string | null;
  readonly title: string;
  readonly text: string;
  /** The content in PostgreSQL; only its start is indexed. */
  readonly content: string;
  readonly tags: readonly string[];
  readonly session: number;
  readonly occurredAt: string;
  /** Its anchors. */
  readonly anchors: readonly number[];
  readonly vector: Float32Array;
}

/** Memories and queries by number; deterministic for a seed and its texts. */
export interface SpeedCorpus {
  /** Sentences to embed; `memory` takes their vectors. */
  readonly anchors: readonly string[];
  memory(n: number, anchorVectors: readonly Float32Array[]): SpeedMemory;
  /** A query with words of the texts; unique per number. */
  question(n: number): string;
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(file);
    else if (/\.(?:ts|md|sql)$/.test(entry.name)) yield file;
  }
}

function readTexts(): { readonly sentences: string[]; readonly lines: string[] } {
  const sentences = new Set<string>();
  const lines = new Set<string>();
  for (const source of SOURCES)
    for (const file of filesBelow(path.join(ROOT, source))) {
      const text = readFileSync(file, 'utf8');
      const prose = file.endsWith('.md') ? text : (text.match(/\/\*\*[^]*?\*\/|\/\/ .*/g) ?? []).join('\n');
      for (const part of prose.replaceAll(/[/*`|#\n]+/g, ' ').split(/(?<=[.:;])\s+/)) {
        const sentence = part.replaceAll(/\s+/g, ' ').trim();
        if (sentence.length >= 40 && sentence.length <= 240) sentences.add(sentence);
      }
      if (file.endsWith('.ts'))
        for (const line of text.split('\n'))
          if (line.trim().length >= 20 && line.length <= 140) lines.add(line.trimEnd());
    }
  return { sentences: [...sentences], lines: [...lines] };
}

const STEMS = ['invoice', 'parser', 'cache', 'session', 'worker', 'ledger', 'tenant', 'schema', 'retry', 'queue'];
const ENDINGS = ['Store', 'Test', 'View', 'Handler', 'Batch', 'Limit', 'Config', 'Index', 'Client', 'Job'];

/** Returns a name as in code; low numbers are frequent, high ones rare (Zipf). */
function nameAt(place: number): string {
  const stem = STEMS[place % STEMS.length] ?? '';
  const ending = ENDINGS[Math.floor(place / STEMS.length) % ENDINGS.length] ?? '';
  const mark = Math.floor(place / 100).toString(36);
  return [`${stem}${ending}${mark}`, `${stem}_${mark}`, `src/${stem}/${mark}.ts`, `E${place}`][place % 4] ?? '';
}

/** Returns Gaussian noise of this length. */
function noise(random: () => number, length: number): Float32Array {
  const scale = length / Math.sqrt(DIMENSION);
  return Float32Array.from({ length: DIMENSION }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return scale * radius * Math.cos(2 * Math.PI * random());
  });
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const KINDS: Readonly<Record<MemoryType, readonly string[]>> = {
  observation: ['tool_result', 'tool_result', 'error', 'info'],
  prompt: ['user', 'assistant'],
  summary: ['topic', 'decision', 'bugfix'],
  learning: ['general', 'pattern', 'solution'],
};
const TOOLS = ['Bash', 'Read', 'Edit', 'Grep', 'Write'];
const TAGS = ['api', 'build', 'database', 'docs', 'release', 'search', 'tests', 'ui'];
const QUESTION_STARTS = ['why', 'where did we see', 'how did we fix', 'what was decided about', 'which file has', ''];

/** Mixes sentences and lines of this repository with generated names into memories of all types. */
export function createSpeedCorpus(): SpeedCorpus {
  const { sentences, lines } = readTexts();
  const pick = <Item>(items: readonly Item[], random: () => number): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const order = randomFrom(7);
  const anchors = Array.from({ length: ANCHORS }, () => pick(sentences, order));
  const name = (random: () => number): string => nameAt(Math.floor(NAMES ** random()));

  return {
    anchors,
    memory(n, anchorVectors) {
      const random = randomFrom(n * 2_654_435_761 + 1);
      const share = random();
      const type = share < 0.7 ? 'observation' : share < 0.8 ? 'prompt' : share < 0.95 ? 'summary' : 'learning';
      const about = Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.floor(random() * ANCHORS));
      const topics = about.map((anchor) => `${anchors[anchor] ?? ''} ${name(random)}`);
      const code = Array.from({ length: type === 'observation' ? 2 + Math.floor(random() * 12) : 0 }, () =>
        random() < 0.3 ? `${pick(lines, random)} // ${name(random)}` : pick(lines, random),
      );
      const text = [...topics, ...code, pick(sentences, random)].join('\n').slice(0, 1_000);
      // One tool output in fifty is long: only its start is used here.
      const rest = type === 'observation' && random() < 0.02 ? `\n${lines.slice(0, 400).join('\n')}` : '';
      const vector = noise(random, NOISE);
      for (const anchor of about)
        anchorVectors[anchor]?.forEach(
          (value, at) => (vector[at] = (vector[at] ?? 0) + value / Math.sqrt(about.length)),
        );
      const at = Date.UTC(2026, 0, 1) + Math.floor(random() * DAYS * DAY_MS);
      return {
        id: v7({ msecs: at, random: Uint8Array.from({ length: 16 }, () => random() * 256) }),
        type,
        kind: pick(KINDS[type], random),
        tool: type === 'observation' ? pick(TOOLS, random) : null,
        title: type === 'prompt' ? '' : `${pick(TOOLS, random)} ${name(random)}`,
        text,
        content: text + rest,
        tags: type === 'prompt' ? [] : TAGS.filter(() => random() < 0.15),
        session: Math.floor(n / 50),
        occurredAt: new Date(at).toISOString(),
        anchors: about,
        vector: normalised(vector),
      };
    },
    question(n) {
      const random = randomFrom(n * 40_503 + 99);
      // Some sentences of the docs name filters: they would leave nothing to find.
      const words = pick(anchors, random)
        .split(' ')
        .filter((word) => !/\w:\S/.test(word));
      const from = Math.floor(random() * Math.max(1, words.length - 7));
      const some = words.slice(from, from + 4 + Math.floor(random() * 4));
      return [pick(QUESTION_STARTS, random), ...some, ...(random() < 0.5 ? [name(random)] : []), `${n}`]
        .join(' ')
        .trim();
    },
  };
}
