import { createHash } from 'node:crypto';
import type { DataClass } from '../../domain/data-classes.ts';
import { EmbedderUnavailable, TextsRefused } from '../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingUsage } from '../../domain/ports/embedder.ts';

/** A text for the model, identified by its hash. */
export interface RequestedText {
  /** SHA-256 of the text, hex. */
  readonly hash: string;
  readonly text: string;
  /** Lowest class of the rows that it is part of; null for a derived memory. */
  readonly stored: DataClass | null;
}

/** Result of a batch of texts. */
export interface EmbeddedTexts {
  readonly vectors: ReadonlyMap<string, Float32Array>;
  /** Hashes of texts that the model rejects. */
  readonly refused: ReadonlySet<string>;
  /** Hashes of texts that must not be sent to the provider. */
  readonly withheld: ReadonlySet<string>;
  readonly usage: readonly EmbeddingUsage[];
}

/** Returns the SHA-256 of a text, hex. */
export function textHash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** English has 4 to 5 characters per token; scripts without an alphabet about one. */
const CHARACTERS_PER_TOKEN = 4;

/** Estimates the tokens of a text, rather too high; the model checks the exact limit. */
export function guessTokens(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) >= 0x2e80) wide += 1;
  return wide + Math.ceil((text.length - wide) / CHARACTERS_PER_TOKEN) + 2;
}

/** Groups texts in their order into batches of at most `maxTokens`; those of a batch are sorted by length, which shares them evenly between threads. */
export function tokenBatches(texts: readonly RequestedText[], maxTokens: number): RequestedText[][] {
  const batches: RequestedText[][] = [];
  let tokens = 0;
  for (const text of texts) {
    const own = guessTokens(text.text);
    const batch = batches.at(-1);
    if (batch === undefined || tokens + own > maxTokens) {
      batches.push([text]);
      tokens = own;
    } else {
      batch.push(text);
      tokens += own;
    }
  }
  return batches.map((batch) => batch.toSorted((a, b) => a.text.length - b.text.length));
}

/** Verifies that the provider accepts any text at all. @throws EmbedderUnavailable */
async function requireTaking(embedder: Embedder, signal: AbortSignal): Promise<void> {
  try {
    await embedder.embed(['text'], 'passage', signal);
  } catch (error) {
    if (error instanceof TextsRefused) throw new EmbedderUnavailable(`${error.message}, for any text`);
    throw error;
  }
}

/**
 * Embeds a batch, without withheld texts. If the model rejects it, halves are tried until the rejected texts are found, so that the others get vectors. @throws
 * EmbedderUnavailable
 */
export async function embedTexts(
  embedder: Embedder,
  texts: readonly RequestedText[],
  signal: AbortSignal,
): Promise<EmbeddedTexts> {
  const vectors = new Map<string, Float32Array>();
  const refused = new Set<string>();
  const usage: EmbeddingUsage[] = [];
  const withheld = new Set(
    texts.filter(({ text, stored }) => embedder.withholds?.(text, stored) === true).map(({ hash }) => hash),
  );
  const sent = texts.filter(({ hash }) => !withheld.has(hash));
  const embedSome = async (some: readonly RequestedText[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      const answers = await embedder.embed(
        some.map(({ text }) => text),
        'passage',
        signal,
        (call) => usage.push(call),
      );
      for (const [at, { hash }] of some.entries()) {
        const vector = answers[at];
        if (vector !== undefined) vectors.set(hash, vector);
      }
    } catch (error) {
      if (!(error instanceof TextsRefused)) throw error;
      if (some === sent) await requireTaking(embedder, signal);
      if (some.length === 1) {
        for (const { hash } of some) refused.add(hash);
        return;
      }
      const middle = Math.ceil(some.length / 2);
      await embedSome(some.slice(0, middle));
      await embedSome(some.slice(middle));
    }
  };
  await embedSome(sent);
  return { vectors, refused, withheld, usage };
}
