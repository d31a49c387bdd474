import { expect, test } from 'vitest';
import { prefersOpenMetrics } from '../../../api/metrics/scrape-format.ts';

test.each([
  [
    'Prometheus 2',
    true,
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  ],
  [
    'Prometheus 3',
    true,
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
  ],
  [
    'a Prometheus that is set to plain text',
    false,
    'text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.5',
  ],
  ['a browser', false, 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
  ['any program', false, '*/*'],
  ['nothing', false, undefined],
  ['an excluded type', false, 'application/openmetrics-text;q=0'],
  ['a weight that is no number', false, 'application/openmetrics-text;q=high'],
  ['capitals and spaces', true, 'text/plain; q=0.5 , Application/OpenMetrics-Text ; Q=0.9'],
])('OpenMetrics by the header of %s: %s', (_what, expected, accept) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});
