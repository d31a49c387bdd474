import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { tracingConfig, tracingEnvironment, tracingFaults } from '../../config/tracing-settings.ts';

const schema = z.object(tracingEnvironment);
const parse = (given: Record<string, string>) => tracingConfig(schema.parse(given)).tracing;
const ENDPOINT = { RECOLLECT_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('settings of traces', () => {
  it('trace nothing without a collector', () => {
    expect(parse({ RECOLLECT_TRACE_SHARE: '1' })).toBeNull();
  });

  it('default to two in a hundred requests', () => {
    expect(parse(ENDPOINT)).toEqual({
      url: 'http://127.0.0.1:4318/v1/traces',
      headers: {},
      share: 0.02,
      service: 'recollect',
    });
  });

  it('take headers as OpenTelemetry writes them, and a path', () => {
    const settings = parse({
      RECOLLECT_OTLP_ENDPOINT: 'https://collector.example.org/otlp/',
      RECOLLECT_OTLP_HEADERS: 'authorization=Bearer%20secret=, x-scope=team',
    });
    expect(settings).toMatchObject({
      url: 'https://collector.example.org/otlp/v1/traces',
      headers: { authorization: 'Bearer secret=', 'x-scope': 'team' },
    });
  });

  it.each([
    ['RECOLLECT_OTLP_ENDPOINT', 'collector:4318'],
    ['RECOLLECT_OTLP_ENDPOINT', 'file:///etc/passwd'],
    ['RECOLLECT_OTLP_HEADERS', 'secret'],
    ['RECOLLECT_OTLP_HEADERS', 'a b=secret'],
    ['RECOLLECT_OTLP_HEADERS', 'a=secret\r\nb: c'],
    ['RECOLLECT_OTLP_HEADERS', 'a=secret%zz'],
    ['RECOLLECT_TRACE_SHARE', '1.1'],
    ['RECOLLECT_TRACE_SHARE', '-0.1'],
    ['RECOLLECT_TRACE_SHARE', 'all'],
    ['RECOLLECT_TRACE_SERVICE', ''],
    ['RECOLLECT_TRACE_SERVICE', 'a'.repeat(65)],
    ['RECOLLECT_TRACE_SERVICE', 'a service'],
  ])('refuse %s=%s by its name, without the value', (name, value) => {
    const error = schema.safeParse({ ...ENDPOINT, [name]: value }).error;
    expect(error?.issues.map(({ path }) => path)).toEqual([[name]]);
    expect(error?.message).not.toContain('secret');
  });

  it('refuse headers of more than 8,192 characters', () => {
    const headers = (length: number) => ({ ...ENDPOINT, RECOLLECT_OTLP_HEADERS: 'a=b,'.repeat(length / 4) });
    expect(schema.safeParse(headers(8_192)).success).toBe(true);
    expect(schema.safeParse(headers(8_196)).error?.issues[0]?.path).toEqual(['RECOLLECT_OTLP_HEADERS']);
  });

  it.each(['http://user:pw@127.0.0.1:4318', 'http://127.0.0.1:4318/?key=secret', 'http://127.0.0.1:4318/#a'])(
    'refuse %s: credentials are headers',
    (endpoint) => {
      const [fault] = tracingFaults(schema.parse({ RECOLLECT_OTLP_ENDPOINT: endpoint }));
      expect(fault?.[0]).toBe('RECOLLECT_OTLP_ENDPOINT');
      expect(fault?.[1]).not.toContain('secret');
    },
  );
});
