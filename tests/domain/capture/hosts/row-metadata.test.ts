import { describe, expect, it } from 'vitest';
import { buildCaptureEvent } from '../../../../domain/capture/build-event.ts';
import type { EventPart, ObservationRow } from '../../../../domain/capture/event.ts';
import { newId } from '../../../../domain/ids.ts';
import { PLAIN_HOST_EVENT } from '../../../setup/host-event.ts';

const base = { importance: null, tags: [] } as const;
const tool = {
  ...base,
  kind: 'tool',
  event: 'PostToolUse',
  name: 'Bash',
  input: null,
  response: 'a',
  error: null,
  durationMs: 1,
} as const;
const note = { ...base, kind: 'note', event: 'x', type: 'info', title: 'x', content: 'c' } as const;

function rowOf(part: EventPart): ObservationRow {
  const [row] = buildCaptureEvent(
    { ...PLAIN_HOST_EVENT, parts: [part] },
    { tenantId: newId(), userId: newId() },
    new Date(),
  ).rows;
  if (row?.kind !== 'observation') throw new Error('no observation');
  return row;
}

describe.each([tool, note])('what a host sends beside what is known ($kind)', (part) => {
  it('is the row’s metadata', () => {
    expect(rowOf({ ...part, extra: { sandbox: { kind: 'none' }, count: 2 } }).metadata).toEqual({
      sandbox: { kind: 'none' },
      count: 2,
    });
  });

  it('is null without extra fields', () => {
    expect(rowOf(part).metadata).toBeNull();
    expect(rowOf({ ...part, extra: null }).metadata).toBeNull();
  });

  it('is redacted like all else, and counted', () => {
    const row = rowOf({
      ...part,
      extra: { hint: '<private>my street</private>', nested: [{ key: 'AKIAIOSFODNN7EXAMPLE' }] },
    });
    expect(JSON.stringify(row)).not.toMatch(/my street|AKIAIOSFODNN7EXAMPLE/);
    expect(Object.keys(row.redactions ?? {}).length).toBeGreaterThanOrEqual(2);
  });

  it('is bounded', () => {
    const row = rowOf({ ...part, extra: { small: 1, big: 'x '.repeat(40_000) } });
    expect(row.metadata).toEqual({ small: 1, omitted_fields: ['big'] });
  });
});
