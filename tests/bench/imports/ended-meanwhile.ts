import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { send } from '../capture/sessions.ts';

const LIMIT_MS = 600_000;
const POLL_MS = 200;
const TURNS = [
  'Unpaid baskets of the web shop expire after twenty minutes, because stock stays reserved for them.',
  'The printer in the warehouse jams when labels are longer than nine centimetres.',
  'Drivers sign deliveries on the tablet; paper receipts are scanned at night.',
];
/** Shares no word with the first turn: only its vector finds it. */
const QUESTION = 'how long does a cart survive without checkout';

const answer = z.looseObject({ data: z.array(z.looseObject({ content: z.string() })) });

/** Captures a session that ends now; returns the seconds until a query finds it by meaning, and the vectors that were pending at its end. */
export async function endedMeanwhile(instance: BenchInstance, n: number) {
  const name = `live-${n}`;
  const common = { host: 'live', session_id: name, infer: false };
  await send(
    instance,
    TURNS.map((content) => ({ ...common, type: 'prompt', content: `${content} (${name})` })),
  );
  await send(instance, [{ ...common, type: 'session.ended' }]);
  const started = performance.now();
  const { rows } = await instance.database.query(
    "SELECT count(*)::integer AS pending FROM embeddings WHERE state = 'pending'",
  );
  const [before] = z.array(z.object({ pending: z.number() })).parse(rows);
  while (performance.now() - started < LIMIT_MS) {
    const response = await fetch(`${instance.url}/api/v1/search?limit=10&q=${encodeURIComponent(QUESTION)}`, {
      headers: { authorization: `Bearer ${instance.key}` },
    });
    const { data } = answer.parse(await response.json());
    if (data.some(({ content }) => content.startsWith(TURNS[0] ?? '') && content.endsWith(`(${name})`)))
      return {
        searchable_s: Math.round((performance.now() - started) / 100) / 10,
        pending_before: before?.pending ?? 0,
      };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`the session ${name} is not found after ${LIMIT_MS / 1_000} s`);
}
