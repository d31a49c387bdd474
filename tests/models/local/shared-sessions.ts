import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { renderToolCall } from '../../../domain/capture/tool-text.ts';
import type { SourceRow } from '../../../domain/ports/model.ts';
import { type RowDraft, rowsFrom } from '../rows.ts';

const DIRECTORY = new URL('../../../../shared/data/coding-sessions/events/', import.meta.url);

const event = z.looseObject({
  hook_event_name: z.string(),
  prompt: z.string().optional(),
  last_assistant_message: z.string().optional(),
  tool_name: z.string().optional(),
  tool_input: z.unknown().optional(),
  tool_response: z.unknown().optional(),
});

/** Real sessions as rows, by file name; empty if the data is not beside the repository. */
export function sharedSessions(): readonly { readonly name: string; readonly rows: readonly SourceRow[] }[] {
  if (!existsSync(DIRECTORY)) return [];
  return readdirSync(DIRECTORY)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => ({ name, rows: rowsOf(readFileSync(new URL(name, DIRECTORY), 'utf8')) }));
}

/** Events of hooks (one JSON a line) as the rows that capture would store. */
export function rowsOf(ndjson: string): readonly SourceRow[] {
  const lines = ndjson.split('\n').filter((line) => line !== '');
  return rowsFrom(
    lines.flatMap((line): readonly RowDraft[] => {
      const {
        hook_event_name: name,
        prompt,
        last_assistant_message: said,
        tool_name: tool,
        tool_input,
        tool_response,
      } = event.parse(JSON.parse(line));
      if (name === 'UserPromptSubmit' && prompt !== undefined) return [{ type: 'user', content: prompt }];
      if (name === 'Stop' && said !== undefined && said !== '') return [{ type: 'assistant', content: said }];
      if (name !== 'PostToolUse' || tool === undefined) return [];
      return [{ type: 'tool_result', tool, ...renderToolCall(tool, tool_input, tool_response, null) }];
    }),
  );
}

/** Rows cut at every `size`-th. */
export function windowsOf(rows: readonly SourceRow[], size = 40): readonly (readonly SourceRow[])[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
