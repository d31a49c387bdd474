import { expect, test } from 'vitest';
import { parseConfig } from '../../config/config.ts';
import { createMaintenancePools, MAINTENANCE_SLOTS } from '../../workers/pools.ts';
import { fileDatabase } from '../setup/database.ts';
import { testEnvironment } from '../setup/instance.ts';

const db = fileDatabase();

test('every concurrent activity gets a second connection while it uses one for a lock', async () => {
  const config = parseConfig(testEnvironment(db, 'none'));
  const { maintenance, longStatements } = createMaintenancePools(config, () => undefined);
  const places = Array.from({ length: MAINTENANCE_SLOTS });
  const locking = await Promise.all(places.map(() => longStatements.connect()));
  try {
    const seconds = await Promise.all(
      places.map(() => longStatements.query('SELECT 1').then(({ rowCount }) => rowCount)),
    );
    expect(seconds).toEqual(places.map(() => 1));
  } finally {
    for (const client of locking) client.release();
    await longStatements.end();
    await maintenance.end();
  }
});
