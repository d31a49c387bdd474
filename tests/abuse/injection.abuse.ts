import { beforeAll, expect, test } from 'vitest';
import { Redactor } from '../../domain/redaction/redact.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { settled } from '../setup/demo-session.ts';
import { INJECTION_TEXTS } from './injection-texts.ts';
import { recordFigure } from './record-figure.ts';
import { blockViolations, stringsOf, violationsOf } from './support/strict-reader.ts';
import { captureEverywhere, GROUPS, markOf, mcpClient } from './support/ways-in.ts';
import { waysOut } from './support/ways-out.ts';

const dataDir = longLivedFolder();
const instance = fileInstance({
  RECOLLECT_CONTEXT_TIMEOUT_MS: '1500',
  RECOLLECT_CONTEXT_START_TOKENS: '2000',
  RECOLLECT_CONTEXT_PROMPT_TOKENS: '2000',
  RECOLLECT_CONTEXT_FILE_TOKENS: '2000',
  RECOLLECT_TRANSCRIPT_ROOTS: '/nonexistent',
});
let ways: readonly string[];

beforeAll(async () => {
  await instance.startWorker();
  ways = await captureEverywhere(instance);
  // The local model's summaries and learnings quote the texts, too.
  for (const session of ['claude-code:hooks', 'test:events']) await settled(instance, session, 600_000);
}, 1_200_000);

test('no captured text leaves the block in which it is recalled', async () => {
  const mcp = await mcpClient(instance);
  const out = waysOut(instance, mcp, dataDir);
  const escapes: string[] = [];
  const returned = new Map<string, number>();
  let everything = '';
  for (const [n, texts] of GROUPS.entries())
    for (const [way, recall] of Object.entries(out)) {
      const { block, strings } = await recall(n);
      const names = texts.map(({ name }) => name).join(', ');
      const shown = stringsOf(strings);
      const recalled = block ?? shown.join('\n');
      everything += recalled;
      if (recalled.includes(markOf(n))) returned.set(way, (returned.get(way) ?? 0) + 1);
      const found = block === undefined ? shown.flatMap(violationsOf) : block === '' ? [] : blockViolations(block);
      for (const violation of new Set(found)) escapes.push(`${way}: ${names}: ${violation}`);
      // Recalled text must not be captured again.
      if (
        block !== undefined &&
        new Redactor().text(`before ${block} after`).replaceAll(/\s+/gu, ' ') !== 'before after'
      )
        escapes.push(`${way}: ${names}: is captured again`);
    }
  await mcp.close();
  recordFigure('injection_texts', INJECTION_TEXTS.length);
  recordFigure('injection_ways_in', ways.length);
  recordFigure('injection_ways_out', Object.keys(out).length);
  recordFigure('injection_escapes', escapes.length);
  // Every way in was recalled, and every way out returned every group; one may come too late for a hook.
  expect(ways.filter((way) => !everything.includes(way))).toEqual([]);
  const least = GROUPS.length - 1;
  expect(Object.keys(out).filter((way) => (returned.get(way) ?? 0) < least)).toEqual([]);
  expect(escapes).toEqual([]);
});
