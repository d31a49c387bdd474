import { z } from 'zod';
import { currentFocus } from '../../../domain/profile/focus.ts';
import { distilPreferences } from '../../../domain/profile/preferences.ts';
import { findUser, readFocusSources, readPreferenceSources } from '../../../stores/postgres/search/profile.ts';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { mayActFor, principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError, existing } from '../../errors.ts';
import { profileSchema, profileEvidence } from '../../../contract/context.ts';
import { text } from '../../../contract/text.ts';
import type { FocusLine, Preference, ProfileEvidence } from '../../../domain/profile/profile.ts';

function evidenceOf(pieces: readonly ProfileEvidence[]): z.input<typeof profileEvidence>[] {
  return pieces.map((piece) => present(profileEvidence, piece));
}

export function presentPreference(line: Preference): z.input<typeof profileSchema>['preferences'][number] {
  return present(profileSchema.shape.preferences.element, { ...line, evidence: evidenceOf(line.evidence) });
}

export function presentFocus(line: FocusLine): z.input<typeof profileSchema>['focus'][number] {
  return present(profileSchema.shape.focus.element, { ...line, evidence: evidenceOf(line.evidence) });
}

/** `GET /profile`: what a user prefers, and what he works on, each line with its evidence. */
export function profileRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/profile',
    route('read', {
      tags: ['profile'],
      summary: 'Get the preferences and focus of a user',
      description:
        'Returns the profile of the caller or, for admins, of another user. Derived from statements of the user and from summaries of the last 14 days; every entry has a quote.',
      querystring: z.strictObject({
        project: text(2048).optional(),
        user: text(256).optional().describe('Id or name of a user; only for admins'),
      }),
      response: { 200: profileSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { project: projectInput, user: givenUser } = request.query;
      return database.asTenant(viewOf(principal), async (transaction) => {
        const found = await findUser(transaction, givenUser ?? principal.userId);
        if (!mayActFor(principal, found?.id))
          throw new ApiError('FORBIDDEN', 'only admins may read the profile of another user');
        const user = existing(found, 'user');
        const project =
          projectInput === undefined ? null : existing(await findProject(transaction, projectInput), 'project');
        const scope = { userId: user.id, projectId: project?.id ?? null };
        const preferences = distilPreferences(await readPreferenceSources(transaction, scope));
        const focus = currentFocus(await readFocusSources(transaction, scope, new Date()));
        return {
          user,
          project: project === null ? null : { id: project.id, name: project.displayName },
          preferences: preferences.map(presentPreference),
          focus: focus.map(presentFocus),
        };
      });
    },
  );
}
