import { expect, it } from 'vitest';
import { Redactor } from '../../domain/redaction/redact.ts';
import { CONTEXT_TAG } from '../../domain/recalled/recalled-block.ts';

it('is removed by capture with its content', () => {
  const block = `<${CONTEXT_TAG}>\n# Memory of app\n- decision: use forks [abcdefgh]\n</${CONTEXT_TAG}>`;
  const redactor = new Redactor();
  expect(redactor.text(`before ${block} after`)).toBe('before  after');
  expect(redactor.counts).toEqual({ injected: 1 });
});

it('is plain: letters and dashes, so that no pattern and no markup reads it otherwise', () => {
  expect(CONTEXT_TAG).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
});
