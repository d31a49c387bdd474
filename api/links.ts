/** OpenAPI links, by which programs and fuzzers walk from what one answer gives to what others take. */

const PREFIX = '/api/v1';

interface Link {
  /** `METHOD /path` under the prefix, with the statuses of the answers that have it. */
  readonly of: string;
  readonly status: readonly number[];
  /** JSON pointer into the answer. */
  readonly at: string;
  /** Operations whose one parameter of the path is that value. */
  readonly to?: readonly string[];
  /** Operations whose named parameter of the query is that value. */
  readonly query?: Readonly<Record<string, string>>;
  /** Operations whose body contains that value, in place of `$value`. */
  readonly body?: Readonly<Record<string, object>>;
}

const SESSION = [
  'GET /sessions/{id}',
  'PUT /sessions/{id}',
  'DELETE /sessions/{id}',
  'GET /sessions/{id}/prompts',
  'GET /sessions/{id}/observations',
  'GET /sessions/{id}/summaries',
  'POST /sessions/{id}/summaries',
  'POST /sessions/{id}/close',
];
const LEARNING = [
  'GET /learnings/{id}',
  'PUT /learnings/{id}',
  'DELETE /learnings/{id}',
  'POST /learnings/{id}/verify',
  'POST /learnings/{id}/unverify',
  'POST /learnings/{id}/invalidate',
  'POST /learnings/{id}/supersede',
];
const MEMORY = ['GET /memories/{id}', 'PUT /memories/{id}', 'DELETE /memories/{id}'];
const JOB = ['GET /jobs/{id}', 'POST /jobs/{id}/cancel', 'POST /jobs/{id}/retry'];
const PROJECT = ['GET /projects/{id}', 'PUT /projects/{id}', 'POST /projects/{id}/merge'];
const EXPORT = ['GET /exports/{id}', 'GET /exports/{id}/file'];
const BACKUP = ['GET /admin/backups/{id}', 'POST /admin/backups/{id}/verify'];
const RUN = ['GET /admin/retention/runs/{id}', 'POST /admin/retention/runs/{id}/approve'];
const USER = ['GET /admin/users/{id}', 'PUT /admin/users/{id}', 'POST /admin/users/{id}/invite'];
const IMPORT = ['GET /imports/{id}', 'POST /imports/{id}/cancel'];

const LINKS: readonly Link[] = [
  {
    of: 'POST /events',
    status: [202],
    at: '/items/0/id',
    to: [...MEMORY, 'DELETE /events/{key}'],
    query: { 'GET /trace': 'key', 'GET /timeline': 'anchor' },
    body: { 'POST /memories/get': { ids: ['$value'] } },
  },
  { of: 'POST /admin/users', status: [201], at: '/user/id', to: USER },
  {
    of: 'POST /admin/users/{id}/invite',
    status: [201],
    at: '/invite/token',
    body: { 'POST /auth/invites/accept': { token: '$value' } },
  },
  { of: 'POST /admin/api-keys', status: [201], at: '/key/id', to: ['PUT /admin/api-keys/{id}'] },
  {
    of: 'POST /admin/tenants',
    status: [201],
    at: '/tenant/id',
    to: ['PUT /admin/tenants/{id}', 'POST /admin/tenants/{id}/invite'],
  },
  { of: 'GET /sessions', status: [200], at: '/data/0/id', to: SESSION },
  {
    of: 'GET /sessions/{id}',
    status: [200],
    at: '/id',
    to: SESSION.slice(1),
    query: { 'GET /learnings': 'session' },
    body: {
      'POST /context': { purpose: 'session_start', session_id: '$value' },
      'POST /exports': { scope: 'session', subject: '$value' },
      'POST /admin/legal-holds': { subject: 'session', id: '$value', reason: 'requested' },
    },
  },
  { of: 'PUT /sessions/{id}', status: [200], at: '/id', to: SESSION },
  { of: 'GET /memories/{id}', status: [200], at: '/session/id', to: SESSION },
  { of: 'GET /sessions/{id}/prompts', status: [200], at: '/data/0/id', to: MEMORY },
  { of: 'GET /sessions/{id}/observations', status: [200], at: '/data/0/id', to: MEMORY },
  { of: 'GET /sessions/{id}/summaries', status: [200], at: '/data/0/id', to: ['GET /summaries/{id}', ...MEMORY] },
  { of: 'POST /sessions/{id}/summaries', status: [200, 202], at: '/job/id', to: JOB },
  { of: 'POST /sessions/{id}/close', status: [200, 202], at: '/job/id', to: JOB },
  { of: 'GET /jobs', status: [200], at: '/data/0/id', to: JOB },
  {
    of: 'POST /learnings',
    status: [201],
    at: '/id',
    to: [...LEARNING, ...MEMORY],
    body: { 'POST /gdpr/rectify': { id: '$value', correction: { title: 'Put right' } } },
  },
  { of: 'GET /learnings', status: [200], at: '/data/0/id', to: LEARNING },
  { of: 'PUT /learnings/{id}', status: [200], at: '/id', to: LEARNING },
  {
    of: 'POST /memories',
    status: [200, 201],
    at: '/hash',
    to: [...MEMORY, 'GET /memories/by-hash/{hash}'],
    query: { 'GET /timeline': 'anchor' },
    body: { 'POST /memories/get': { ids: ['$value'] } },
  },
  { of: 'POST /memories/batch', status: [200], at: '/items/0/hash', to: [...MEMORY, 'GET /memories/by-hash/{hash}'] },
  { of: 'PUT /memories/{id}', status: [200], at: '/id', to: MEMORY },
  { of: 'GET /search', status: [200], at: '/data/0/id', to: MEMORY },
  { of: 'GET /graph', status: [200], at: '/nodes/0/id', query: { 'GET /graph': 'node' } },
  { of: 'POST /context', status: [200], at: '/id', to: ['POST /context/{id}/feedback'] },
  { of: 'GET /projects', status: [200], at: '/data/0/id', to: PROJECT },
  { of: 'PUT /projects/{id}', status: [200], at: '/id', to: PROJECT },
  { of: 'POST /imports', status: [202], at: '/id', to: IMPORT },
  { of: 'POST /imports/files', status: [202], at: '/id', to: ['GET /imports/files/{id}'] },
  { of: 'POST /exports', status: [202], at: '/id', to: EXPORT },
  { of: 'POST /gdpr/export', status: [202], at: '/id', to: EXPORT },
  { of: 'POST /gdpr/erase', status: [202], at: '/id', to: ['GET /gdpr/requests/{id}'] },
  { of: 'POST /admin/backup', status: [202], at: '/id', to: BACKUP },
  { of: 'POST /admin/backup', status: [202], at: '/job_id', to: JOB },
  { of: 'POST /admin/drill', status: [202], at: '/id', to: ['GET /admin/restores/{id}'] },
  { of: 'POST /admin/drill', status: [202], at: '/job_id', to: JOB },
  { of: 'POST /admin/consistency', status: [202], at: '/id', to: ['GET /admin/consistency/checks/{id}'] },
  { of: 'POST /admin/consistency', status: [202], at: '/job_id', to: JOB },
  { of: 'POST /admin/retention', status: [202], at: '/run/id', to: RUN },
  { of: 'POST /admin/retention', status: [202], at: '/run/job_id', to: JOB },
  { of: 'POST /admin/legal-holds', status: [201], at: '/id', to: ['DELETE /admin/legal-holds/{id}'] },
  { of: 'GET /archives', status: [200], at: '/data/0/id', to: ['POST /archives/{id}/restore'] },
];

/** The id of an operation in the document, such as `getSessionsById`. `path` has its parameters as `:id` or `{id}`. */
export function operationIdOf(method: string, path: string): string {
  const isVersioned = path.startsWith(`${PREFIX}/`);
  const words = (isVersioned ? path.slice(PREFIX.length) : `${path}/at-root`).split(/[/-]/).filter(Boolean);
  const named = words.map((word) => {
    const parameter = /^(?::|\{)(\w+)\}?$/.exec(word)?.[1];
    const name = parameter ?? word;
    return `${parameter === undefined ? '' : 'By'}${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  });
  return `${method.toLowerCase()}${named.join('')}`;
}

/** The operations of a document by their methods and paths, as far as links need them. */
interface Operation {
  readonly responses?: Record<string, unknown>;
}

function operationOf(paths: unknown, name: string): Operation {
  const [method = '', path = ''] = name.split(' ');
  const found: unknown = Object.entries(Object(paths)).find(([known]) => known === `${PREFIX}${path}`)?.[1];
  const operation: unknown = Object.entries(Object(found)).find(([known]) => known === method.toLowerCase())?.[1];
  if (operation === undefined) throw new Error(`a link names ${name}, which is no operation`);
  return Object(operation);
}

function withValue(body: unknown, value: string): unknown {
  return JSON.parse(JSON.stringify(body).replaceAll('$value', value));
}

/** Parameters that a link passes to its target operations. */
function targetsOf({ at, to = [], query = {}, body = {} }: Link): readonly (readonly [string, object])[] {
  const value = `$response.body#${at}`;
  return [
    ...to.map((name) => {
      const parameter = /\{(\w+)\}/.exec(name)?.[1] ?? '';
      return [name, { parameters: { [`path.${parameter}`]: value } }] as const;
    }),
    ...Object.entries(query).map(
      ([name, parameter]) => [name, { parameters: { [`query.${parameter}`]: value } }] as const,
    ),
    ...Object.entries(body).map(([name, given]) => [name, { requestBody: withValue(given, value) }] as const),
  ];
}

/** Adds every link to the paths of the finished document. @throws Error where a link names what is not there */
export function addLinks(paths: unknown): void {
  for (const link of LINKS)
    for (const status of link.status) {
      const response: unknown = operationOf(paths, link.of).responses?.[status];
      if (response === undefined) throw new Error(`a link is of ${link.of} ${status}, which is not documented`);
      for (const [name, given] of targetsOf(link)) {
        operationOf(paths, name);
        const [method = '', path = ''] = name.split(' ');
        const operationId = operationIdOf(method, `${PREFIX}${path}`);
        const { links = {} } = Object(response);
        Object.assign(Object(response), { links: { ...links, [operationId]: { operationId, ...given } } });
      }
    }
}
