import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { send } from '../capture/sessions.ts';

const LIMIT_MS = 600_000;
/** Rarely: each query takes a part of the processors. */
const POLL_MS = 500;
/**
 * Facts, each with a question of the same meaning in other words: near enough for the vector among thousands of texts of random words. One for each import:
 * search hides near duplicates.
 */
const FACTS = [
  ['Unpaid baskets expire after twenty minutes.', 'abandoned carts that were not paid expire after 20 minutes'],
  ['Drivers sign deliveries on the tablet.', 'couriers use the tablet to sign for a delivery'],
  [
    'The printer jams when labels exceed nine centimetres.',
    'labels wider than nine centimetres get stuck in the printer',
  ],
] as const;

const answer = z.looseObject({
  data: z.array(z.looseObject({ content: z.string(), explain: z.looseObject({ vector: z.unknown() }) })),
});

/** A session in progress. */
export interface LiveSession {
  /** Captures a fact and the session's end; returns the seconds until a query finds the fact by meaning. */
  end(): Promise<{ readonly searchable_s: number }>;
}

/** Starts the session of the nth import. */
export async function startLiveSession(instance: BenchInstance, nth: number): Promise<LiveSession> {
  const [fact, question] = FACTS[nth % FACTS.length] ?? FACTS[0];
  const common = { host: 'live', session_id: `live-${nth}`, infer: false };
  await send(instance, [{ ...common, type: 'prompt', content: 'Good morning.' }]);
  const isFound = async (): Promise<boolean> => {
    const response = await fetch(
      `${instance.url}/api/v1/search?limit=50&type=prompt&explain=true&q=${encodeURIComponent(question)}`,
      { headers: { authorization: `Bearer ${instance.key}` } },
    );
    const { data } = answer.parse(await response.json());
    return data.some(({ content, explain }) => content === fact && explain.vector !== null);
  };
  return {
    async end() {
      await send(instance, [{ ...common, type: 'prompt', content: fact }]);
      await send(instance, [{ ...common, type: 'session.ended' }]);
      const started = performance.now();
      while (!(await isFound())) {
        if (performance.now() - started > LIMIT_MS)
          throw new Error(`"${fact}" is not found after ${LIMIT_MS / 1_000} s`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return { searchable_s: Math.round((performance.now() - started) / 100) / 10 };
    },
  };
}
