import { describe, expect, it } from 'vitest';
import { asId, chunkObjectId, leastIdAt, newId } from '../../domain/ids.ts';
import type { RowId, TenantId } from '../../domain/ids.ts';

const objectId = (tenant: string, row: string, chunk: number, model: string): string =>
  chunkObjectId(asId<TenantId>(tenant), asId<RowId>(row), chunk, model);

describe('newId', () => {
  it('is a UUIDv7, later ones after earlier ones', () => {
    const ids = Array.from({ length: 200 }, () => newId<RowId>());
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(200);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('contains its creation time', () => {
    const before = Date.now();
    const atMs = Number.parseInt(newId<RowId>().replaceAll('-', '').slice(0, 12), 16);
    expect(atMs).toBeGreaterThanOrEqual(before);
    expect(atMs).toBeLessThanOrEqual(Date.now());
    expect(leastIdAt(atMs) <= newId<RowId>()).toBe(true);
    expect(leastIdAt(Date.now() + 60_000) > newId<RowId>()).toBe(true);
  });
});

describe('chunkObjectId', () => {
  it('never changes: vectors that are stored are found again by it', () => {
    expect(objectId('t', 'r', 0, 'm')).toBe('7d926179-36fe-58b9-95b1-67460144df9f');
  });

  it('is another one for another tenant, row, chunk or model', () => {
    const ids = [
      objectId('t', 'r', 0, 'm'),
      objectId('u', 'r', 0, 'm'),
      objectId('t', 's', 0, 'm'),
      objectId('t', 'r', 1, 'm'),
      objectId('t', 'r', 0, 'n'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('differs if the parts join elsewhere', () => {
    expect(objectId('ab', 'c', 0, 'm')).not.toBe(objectId('a', 'bc', 0, 'm'));
    expect(objectId('t', 'r1', 2, 'm')).not.toBe(objectId('t', 'r', 12, 'm'));
    expect(objectId('t', 'r', 1, '2m')).not.toBe(objectId('t', 'r', 12, 'm'));
  });
});
