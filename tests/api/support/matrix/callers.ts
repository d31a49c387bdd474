import { randomUUID } from 'node:crypto';
import { newId } from '../../../../domain/ids.ts';
import { SCOPES, scopesOf } from '../../../../domain/access.ts';
import type { Role, Scope } from '../../../../domain/access.ts';
import { keySha256 } from '../../../../stores/postgres/access/secrets.ts';
import type { TestUser } from '../../../setup/database.ts';
import type { TestInstance } from '../../../setup/instance.ts';
import { logIn, PASSWORD, withPassword } from '../log-in.ts';
import type { objectsOf, Owner } from './objects.ts';

/** Who sends the requests of a column. */
export interface Caller {
  readonly name: string;
  readonly kind: 'none' | 'key' | 'session';
  /** Returns the key, or the access token of a new session; null without a credential. */
  readonly signIn: () => Promise<string | null>;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly isOperator: boolean;
  /** True for a further key of a person: it names the person's own objects only. */
  readonly isFurther: boolean;
  /** The person of the credential; of a caller without one, a user. */
  readonly person: Owner;
  /** A user of the same tenant. */
  readonly other: Owner;
  /** A user of another tenant. */
  readonly foreign: Owner;
}

const NOT_ADMIN = SCOPES.filter((scope) => scope !== 'admin');

/** Creates the callers: people of a tenant with every role, of the operators' and of a third one, each with an object of every kind. */
export async function createCallers(
  instance: TestInstance,
  { own }: ReturnType<typeof objectsOf>,
): Promise<readonly Caller[]> {
  const stranger = await instance.stranger({ role: 'admin' });
  const colleague = await instance.stranger();
  const member = () => instance.db.createUser({ tenantId: colleague.tenantId });
  const [viewer, user, limited, admin] = [await member(), await member(), await member(), await member()];
  const clerk = await instance.user();
  const owners = new Map<TestUser, Owner>();
  for (const person of [stranger, colleague, viewer, user, limited, admin, clerk, instance.admin])
    owners.set(person, await own(person));
  const ownerOf = (person: TestUser): Owner => {
    const owner = owners.get(person);
    if (owner === undefined) throw new Error('a person without objects');
    return owner;
  };

  const keyOf = async ({ tenantId, userId }: TestUser, scopes: readonly Scope[]): Promise<string> => {
    const key = `rcl_test_${randomUUID()}`;
    await instance.write(
      "INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes) VALUES ($1, $2, $3, 'rcl_test', $4, 'matrix', $5)",
      [newId(), tenantId, userId, keySha256(key), [...scopes]],
    );
    return key;
  };
  const caller = async (name: string, person: TestUser, role: Role, scopes: readonly Scope[]): Promise<Caller> => {
    const isOperator = person.tenantId === instance.admin.tenantId;
    await instance.write('UPDATE users SET role = $1 WHERE id = $2', [role, person.userId]);
    const key = await keyOf(person, scopes);
    const signIn = () => Promise.resolve(key);
    const other = ownerOf(isOperator ? clerk : colleague);
    return {
      name,
      kind: 'key',
      signIn,
      role,
      scopes,
      isOperator,
      isFurther: false,
      person: ownerOf(person),
      other,
      foreign: ownerOf(stranger),
    };
  };
  const further = async (...given: Parameters<typeof caller>): Promise<Caller> => ({
    ...(await caller(...given)),
    isFurther: true,
  });
  /** A session of the person of a caller, with all rights of the role. */
  const sessionOf = (of: Caller, isFurther: boolean): Caller => ({
    ...of,
    name: `session of ${of.name}`,
    kind: 'session',
    isFurther,
    scopes: scopesOf(of.role),
    // A session is new when its turn comes: it lives for minutes.
    signIn: async () => {
      const key = await keyOf(of.person, SCOPES);
      return (await logIn(instance, await withPassword(instance, { key }, `${PASSWORD} ${of.name}`))).access_token;
    },
  });
  const byViewer = await caller('viewer', viewer, 'viewer', ['read']);
  const byUser = await caller('user', user, 'user', NOT_ADMIN);
  const byAdmin = await caller('admin', admin, 'admin', SCOPES);
  const byOperator = await caller('operator', instance.admin, 'admin', SCOPES);
  return [
    { ...byUser, name: 'no credential', kind: 'none', signIn: () => Promise.resolve(null) },
    byViewer,
    await further('viewer, every scope', viewer, 'viewer', SCOPES),
    byUser,
    await further('user, every scope', user, 'user', SCOPES),
    await further('agent of a user', user, 'user', ['capture', 'read']),
    await further('capture key of a user', user, 'user', ['capture']),
    await further('write key of a user', user, 'user', ['write']),
    await caller('admin, no scope admin', limited, 'admin', NOT_ADMIN),
    byAdmin,
    await further('admin, only scope admin', admin, 'admin', ['admin']),
    byOperator,
    sessionOf(byViewer, true),
    sessionOf(byUser, false),
    sessionOf(byAdmin, false),
    sessionOf(byOperator, true),
  ];
}
