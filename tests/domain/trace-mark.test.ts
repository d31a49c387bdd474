import { describe, expect, it } from 'vitest';
import { markText, readMark, readTraceparent } from '../../domain/trace-mark.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('marks', () => {
  it('are 25 bytes in hex, and are read again', () => {
    const text = markText({ traceId: TRACE, spanId: SPAN });
    expect(Buffer.from(text, 'hex')).toHaveLength(25);
    expect(readMark(text)).toEqual({ traceId: TRACE, spanId: SPAN });
  });

  it.each(['', TRACE, `${TRACE}${SPAN}00`, `${TRACE}${SPAN}0101`, `${TRACE}${SPAN.toUpperCase()}01`])(
    'are not read from %j',
    (text) => expect(readMark(text)).toBeNull(),
  );
});

describe('a header traceparent', () => {
  it('names a trace, a span and whether the caller records it', () => {
    const mark = { traceId: TRACE, spanId: SPAN };
    expect(readTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ ...mark, isSampled: true });
    expect(readTraceparent(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...mark, isSampled: false });
    // Other flags are of later versions, and so are further fields.
    expect(readTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled).toBe(true);
    expect(readTraceparent(`01-${TRACE}-${SPAN}-01-more`)).toEqual({ ...mark, isSampled: true });
  });

  it.each([
    undefined,
    ['two'],
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0g`,
    ` 00-${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(1_000_000)}`,
  ])('is not believed when it is %j', (header) => expect(readTraceparent(header)).toBeNull());
});
