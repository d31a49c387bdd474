import { z } from 'zod';
import { readExcludeSetting, writeExclusions } from '../../stores/postgres/capture/exclusions.ts';
import type { StoredSetting } from '../../stores/postgres/capture/exclusions.ts';
import { principalOf, route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { dataOf } from '../../contract/shared.ts';
import { text } from '../../contract/text.ts';
import { globList, settingSchema } from '../../contract/projects.ts';
import { EXCLUDE_SETTING } from '../../domain/capture/exclusions.ts';

function present(setting: StoredSetting): z.output<typeof settingSchema> {
  return {
    key: EXCLUDE_SETTING,
    scope: 'tenant',
    value: [...setting.value],
    updated_at: setting.updatedAt?.toISOString() ?? null,
  };
}

/** `GET /admin/settings`, `PUT /admin/settings/:key`: settings of a tenant, so far which folders are not captured. */
export function settingRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/settings',
    route('admin', {
      tags: ['admin'],
      summary: 'Get the settings of the tenant',
      response: { 200: dataOf(settingSchema) },
    }),
    async (request) => {
      const { tenantId } = principalOf(request);
      const setting = await database.asTenant(tenantId, (transaction) => readExcludeSetting(transaction, tenantId));
      return { data: [present(setting)] };
    },
  );
  app.put(
    '/admin/settings/:key',
    route('admin', {
      tags: ['admin'],
      summary: 'Change a setting',
      description: '`capture.exclude`: globs of folders whose events are not stored. Takes effect within five seconds.',
      params: z.object({ key: text(128) }),
      body: z.strictObject({ value: globList }),
      response: { 200: settingSchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      if (request.params.key !== EXCLUDE_SETTING) throw new ApiError('NOT_FOUND', 'there is no such setting');
      return database.asTenant(tenantId, async (transaction) => {
        await writeExclusions(transaction, tenantId, userId, request.body.value);
        return present(await readExcludeSetting(transaction, tenantId));
      });
    },
  );
}
