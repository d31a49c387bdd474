import { aboutSchema } from '../../contract/browser.ts';
import { ERROR_RESPONSES } from '../../contract/shared.ts';
import { route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';

/** `GET /about`: what a sign-in page needs. The version of the server is in `GET /auth/me`: strangers do not need it. */
export function aboutRoutes(app: Api, { config, instanceId, oidcClients, readKeyRing }: ApiDependencies): void {
  const { publicUrl, tls } = config.http;
  app.get(
    '/about',
    route('open', {
      tags: ['access'],
      summary: 'Get the instance and its ways to sign in',
      response: { 200: aboutSchema, ...ERROR_RESPONSES },
    }),
    async () => {
      const hasLogin = readKeyRing() !== null;
      const providers = [...oidcClients.values()].map(({ provider: { name, label } }) => ({ name, label }));
      return {
        instance_id: await instanceId(),
        public_url: publicUrl,
        tls: tls !== null,
        sign_in: { password: hasLogin, passkeys: hasLogin, providers: hasLogin ? providers : [] },
      };
    },
  );
}
