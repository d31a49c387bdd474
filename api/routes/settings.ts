import { z } from 'zod';
import { readExcludeSetting, writeExclusions } from '../../stores/postgres/capture/exclusions.ts';
import type { StoredExclusions } from '../../stores/postgres/capture/exclusions.ts';
import { readSharing, writeSharing } from '../../stores/postgres/learnings/sharing.ts';
import { principalOf, route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { dataOf } from '../../contract/shared.ts';
import { text } from '../../contract/text.ts';
import { exclusionsSchema, globList, settingSchema, sharingSchema } from '../../contract/projects.ts';
import { EXCLUDE_SETTING } from '../../domain/capture/exclusions.ts';
import { VISIBILITY_SETTING } from '../../domain/learning/visibility.ts';

function present(setting: StoredExclusions): z.output<typeof exclusionsSchema> {
  return {
    key: EXCLUDE_SETTING,
    scope: 'tenant',
    value: [...setting.value],
    updated_at: setting.updatedAt?.toISOString() ?? null,
  };
}

function presentSharing({
  visibility,
  updatedAt,
}: Awaited<ReturnType<typeof readSharing>>): z.output<typeof sharingSchema> {
  return {
    key: VISIBILITY_SETTING,
    scope: 'tenant',
    value: visibility,
    updated_at: updatedAt?.toISOString() ?? null,
  };
}

/** `GET /admin/settings`, `PUT /admin/settings/:key`: settings of a tenant: folders that are not captured, visibility of new learnings. */
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
      return database.asTenant(tenantId, async (transaction) => ({
        data: [
          present(await readExcludeSetting(transaction, tenantId)),
          presentSharing(await readSharing(transaction, tenantId)),
        ],
      }));
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
      response: { 200: exclusionsSchema },
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
  app.put(
    `/admin/settings/${VISIBILITY_SETTING}`,
    route('admin', {
      tags: ['admin'],
      summary: 'Share new learnings with the tenant, or with their owner only',
      description: 'Decides about learnings that are created from then on; their owners and admins may change each.',
      body: z.strictObject({ value: sharingSchema.shape.value }),
      response: { 200: sharingSchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      return database.asTenant(tenantId, async (transaction) => {
        await writeSharing(transaction, tenantId, userId, request.body.value);
        return presentSharing(await readSharing(transaction, tenantId));
      });
    },
  );
}
