import { randomUUID } from 'node:crypto';
import type { Scope } from '../../../../domain/access.ts';
import { PRIVATE_WORD } from './objects.ts';
import type { MadeKind, ObjectKind, Objects } from './objects.ts';

/** What becomes of a permitted role's request: `ok` the status of the play, `waits` for the decision of an admin, `hidden` as if there were no such object. */
export type Outcome = 'ok' | 'waits' | 'hidden' | 'forbidden';
type ByOwner = readonly [own: Outcome, other: Outcome, foreign: Outcome];

/** Outcomes by rule for an object of one's own, of another user of the tenant, and of another tenant. */
export const RULES = {
  /** One's own; all of the tenant for admins. */
  private: { user: ['ok', 'hidden', 'hidden'], admin: ['ok', 'ok', 'hidden'] },
  /** One's own, also for admins. */
  mine: { user: ['ok', 'hidden', 'hidden'], admin: ['ok', 'hidden', 'hidden'] },
  /** All read it. */
  shared: { user: ['ok', 'ok', 'hidden'], admin: ['ok', 'ok', 'hidden'] },
  /** All read it, so that it is no secret that it exists; the owner and admins change it. */
  owned: { user: ['ok', 'forbidden', 'hidden'], admin: ['ok', 'ok', 'hidden'] },
  /** All read it; the request of others than the owner waits for an admin. */
  decided: { user: ['ok', 'waits', 'hidden'], admin: ['ok', 'ok', 'hidden'] },
  /** A person: without the right, an unknown one is answered like another user. */
  person: { user: ['ok', 'forbidden', 'forbidden'], admin: ['ok', 'ok', 'hidden'] },
  /** Admins alone, of what all read. */
  verified: { user: ['forbidden', 'forbidden', 'hidden'], admin: ['ok', 'ok', 'hidden'] },
  /** Admins alone, whatever is named. */
  admins: { user: ['forbidden', 'forbidden', 'forbidden'], admin: ['ok', 'ok', 'hidden'] },
  /** No row of others is in the answer, which is the same for an unknown name. */
  listed: { user: ['ok', 'ok', 'ok'], admin: ['ok', 'ok', 'ok'] },
} as const satisfies Readonly<Record<string, { readonly user: ByOwner; readonly admin: ByOwner }>>;
export type Rule = keyof typeof RULES;

export interface Sent {
  /** Below `/api/v1`; by default the path of the route with the object's id. */
  readonly path?: string;
  readonly body?: unknown;
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a request is made from. */
export interface Given {
  /** Id of the object that the request names. */
  readonly id: string;
  /** The object's owner. */
  readonly of: Objects;
  /** Objects of the caller; of a user for a caller without a key. */
  readonly own: Objects;
  /** Creates an object of the caller, to be used up. */
  readonly make: (kind: MadeKind) => Promise<string>;
}

/** Requests to a route, and what they are answered with. */
export interface Play {
  /** Kind of the object that requests name; null: none, so that there is one request per caller. */
  readonly object: ObjectKind | null;
  readonly rule: Rule | 'operators';
  /** Status of a permitted request. */
  readonly status: number;
  /** Status for a hidden object; 404 unless a field of the body names it. */
  readonly hidden?: 404 | 422;
  readonly request?: (given: Given) => Sent | Promise<Sent>;
  /** Kind of what a permitted request uses up: each gets one of its own. */
  readonly uses?: MadeKind;
  /** Scopes that the request passes on: no key gives what it lacks. */
  readonly grants?: readonly Scope[];
  /** True if sessions are refused. */
  readonly ofKeys?: true;
  /** Owners whose objects are not tried. */
  readonly without?: 'own';
}

type More = Partial<Omit<Play, 'object' | 'rule' | 'status'>>;
const play = (object: ObjectKind, rule: Rule, status: number, more: More = {}): readonly Play[] => [
  { object, rule, status, ...more },
];
/** A request that names no object. */
const plain = (status: number, request?: Play['request'], rule: Play['rule'] = 'listed'): readonly Play[] => [
  { object: null, rule, status, ...(request === undefined ? {} : { request }) },
];
const body = (value: unknown) => (): Sent => ({ body: value });
const path = (value: string) => (): Sent => ({ path: value });
const ndjson = (line: string): Sent => ({ raw: `${line}\n`, headers: { 'content-type': 'application/x-ndjson' } });
const fresh = (): string => `Unheard ${randomUUID()}`;

const UNTIL = '2999-01-01T00:00:00Z';
/** Has no effect: the time is over. */
const OVER = '2001-01-01T00:00:00Z';
/** A permitted request that waits for a worker, of which the tests have none. */
export const NO_WORKER = 503;
/** Scopes of a user, which an invite gives. */
const OF_USERS: readonly Scope[] = ['capture', 'read', 'write'];
const SOURCE = 'a'.repeat(32);
const MCP = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-06-18',
};
const NO_BACKUP = '00000000-0000-7000-8000-000000000000';

/** Requests to every route. One that is added needs a line here, also one without an object. */
export const PLAYS: Readonly<Record<string, readonly Play[]>> = {
  'DELETE /admin/api-keys/:id': play('apiKey', 'private', 200, { uses: 'apiKey' }),
  'DELETE /admin/legal-holds/:id': play('hold', 'private', 200, { uses: 'hold' }),
  'DELETE /auth/api-keys/:id': play('apiKey', 'mine', 200, { uses: 'apiKey', grants: ['read'] }),
  'DELETE /admin/users/:id/mfa': play('person', 'private', 200, { uses: 'person', without: 'own' }),
  'DELETE /auth/browser': plain(200),
  'DELETE /auth/mfa/totp': plain(200),
  'DELETE /admin/users/:id/identities/:identity_id': play('person', 'admins', 404, {
    request: ({ id }) => ({ path: `/admin/users/${id}/identities/${NO_BACKUP}` }),
  }),
  'DELETE /auth/passkeys/:id': plain(404, path(`/auth/passkeys/${NO_BACKUP}`)),
  'DELETE /auth/sessions': plain(200),
  'DELETE /auth/grants/:id': play('grant', 'private', 200, { uses: 'grant' }),
  'DELETE /events/:key': [
    ...play('observation', 'private', 200, { request: ({ id }) => ({ path: `/events/${id}?dry_run=true` }) }),
    ...play('eventKey', 'private', 200, { request: ({ id }) => ({ path: `/events/${id}?dry_run=true` }) }),
  ],
  'DELETE /gdpr/restrict': [
    ...play('session', 'private', 200, { request: ({ id }) => ({ path: `/gdpr/restrict?session=${id}` }) }),
    ...play('person', 'person', 200, { request: ({ id }) => ({ path: `/gdpr/restrict?user=${id}` }) }),
  ],
  'DELETE /learnings/:id': [
    ...play('learning', 'owned', 200, { uses: 'learning' }),
    ...play('privateLearning', 'private', 200, { uses: 'privateLearning' }),
  ],
  'DELETE /mcp': plain(405),
  'DELETE /memories/:id': [
    ...play('observation', 'private', 200, { request: ({ id }) => ({ path: `/memories/${id}?dry_run=true` }) }),
    ...play('learning', 'owned', 200, { request: ({ id }) => ({ path: `/memories/${id}?dry_run=true` }) }),
    ...play('privateLearning', 'private', 200, { request: ({ id }) => ({ path: `/memories/${id}?dry_run=true` }) }),
  ],
  'DELETE /sessions/:id': play('session', 'private', 200, {
    request: ({ id }) => ({ path: `/sessions/${id}?dry_run=true` }),
  }),
  'GET /admin/api-keys': [
    ...plain(200),
    ...play('person', 'private', 200, { request: ({ id }) => ({ path: `/admin/api-keys?user=${id}` }) }),
  ],
  'GET /admin/audit-log': plain(200),
  'GET /admin/audit-log/export': plain(200),
  'GET /admin/backups': plain(200),
  'GET /admin/backups/:id': plain(404, path(`/admin/backups/${NO_BACKUP}`)),
  'GET /admin/consistency/checks': plain(200),
  'GET /admin/consistency/checks/:id': play('check', 'private', 200),
  'GET /admin/legal-holds': plain(200),
  'GET /admin/reindex': plain(200),
  'GET /admin/restores': plain(200),
  'GET /admin/restores/:id': plain(404, path(`/admin/restores/${NO_BACKUP}`)),
  'GET /admin/retention/policies': plain(200),
  'GET /admin/retention/runs': plain(200),
  'GET /admin/retention/runs/:id': play('run', 'private', 200),
  'GET /admin/settings': plain(200),
  'GET /admin/tenants': plain(200),
  'GET /admin/users': plain(200),
  'GET /admin/users/:id': play('person', 'private', 200),
  'GET /admin/users/:id/identities': play('person', 'admins', 200),
  'GET /about': plain(200),
  'GET /archives': plain(200),
  'GET /auth/api-keys': plain(200),
  'GET /auth/grants': [
    ...plain(200),
    ...play('person', 'admins', 200, { request: ({ id }) => ({ path: `/auth/grants?user=${id}` }) }),
  ],
  'GET /auth/me': plain(200),
  'GET /auth/oidc': plain(200),
  'GET /auth/oidc/:name/callback': plain(404, path('/auth/oidc/unknown/callback')),
  'GET /auth/oidc/:name/start': plain(404, path('/auth/oidc/unknown/start')),
  'GET /auth/passkeys': plain(200),
  'GET /auth/sessions': plain(200),
  'GET /contexts': plain(200),
  'GET /contexts/:id': play('context', 'private', 200),
  'GET /exports': plain(200),
  'GET /exports/:id': play('export', 'private', 200),
  'GET /exports/:id/file': play('export', 'private', 200),
  'GET /feed': [
    ...plain(200, path('/feed?limit=100')),
    ...play('session', 'listed', 200, { request: ({ id }) => ({ path: `/feed?session=${id}&limit=100` }) }),
  ],
  'GET /feed/density': plain(200),
  'GET /full-values/:sha256': play('fullValue', 'private', 200),
  'GET /gdpr/requests': plain(200),
  'GET /gdpr/requests/:id': play('request', 'private', 200),
  'GET /graph': plain(200),
  'GET /health': plain(200),
  'GET /health/live': plain(200),
  'GET /health/ready': plain(200),
  'GET /imports': plain(200),
  'GET /imports/:id': [...play('import', 'private', 200), ...play('fileImport', 'listed', 404)],
  'GET /imports/claude-mem/rows': plain(200, path(`/imports/claude-mem/rows?source=${SOURCE}`)),
  'GET /imports/files': plain(200),
  'GET /imports/files/:id': play('fileImport', 'private', 200),
  'GET /jobs': plain(200),
  'GET /jobs/:id': [
    ...play('session', 'shared', 200, { request: ({ id }) => ({ path: `/jobs/session.${id}` }) }),
    ...plain(404, path('/jobs/operation.none')),
  ],
  'GET /learnings': [
    ...plain(200),
    ...play('session', 'listed', 200, { request: ({ id }) => ({ path: `/learnings?session=${id}` }) }),
    ...play('project', 'listed', 200, { request: ({ id }) => ({ path: `/learnings?project=${id}` }) }),
  ],
  'GET /learnings/:id': [...play('learning', 'shared', 200), ...play('privateLearning', 'private', 200)],
  'GET /mcp': plain(405),
  'GET /memories/:id': [
    ...play('observation', 'private', 200),
    ...play('learning', 'shared', 200),
    ...play('privateLearning', 'private', 200),
    ...play('summary', 'shared', 200),
  ],
  'GET /memories/by-hash/:hash': plain(404, path('/memories/by-hash/aaaaaaaa')),
  'GET /metrics': plain(200),
  'GET /openapi.json': plain(200),
  'GET /profile': [
    ...plain(200),
    ...play('person', 'person', 200, { request: ({ id }) => ({ path: `/profile?user=${id}` }) }),
  ],
  'GET /projects': plain(200),
  'GET /projects/:id': play('project', 'shared', 200),
  'GET /roi': plain(200),
  'GET /schedules': plain(200),
  'GET /search': [
    ...plain(200, path(`/search?q=${PRIVATE_WORD}&limit=50`)),
    ...play('project', 'listed', 200, {
      request: ({ id }) => ({ path: `/search?q=${PRIVATE_WORD}&limit=50&project=${id}` }),
    }),
  ],
  'GET /search/suggest': plain(200, path(`/search/suggest?q=${PRIVATE_WORD.slice(0, 3)}`)),
  'GET /sessions': plain(200),
  'GET /sessions/:id': play('session', 'shared', 200),
  'GET /sessions/:id/observations': play('session', 'shared', 200, {
    request: ({ id }) => ({ path: `/sessions/${id}/observations?full=true` }),
  }),
  'GET /sessions/:id/prompts': play('session', 'shared', 200),
  'GET /sessions/:id/summaries': play('session', 'shared', 200),
  'GET /sessions/:id/windows': play('session', 'shared', 200),
  'GET /stats': [...plain(200), ...plain(200, path('/stats?scope=instance'), 'operators')],
  'GET /stats/history': plain(200),
  'GET /stream/events': [
    ...plain(200, path('/stream/events?follow=false')),
    ...play('session', 'shared', 200, { request: ({ id }) => ({ path: `/stream/events?follow=false&session=${id}` }) }),
  ],
  'GET /summaries/:id': play('summary', 'shared', 200),
  'GET /timeline': [
    ...plain(200, path(`/timeline?q=${PRIVATE_WORD}`)),
    ...play('observation', 'private', 200, { request: ({ id }) => ({ path: `/timeline?anchor=${id}` }) }),
    ...play('privateLearning', 'private', 200, { request: ({ id }) => ({ path: `/timeline?anchor=${id}` }) }),
  ],
  'GET /trace': [
    ...play('observation', 'listed', 200, { request: ({ id }) => ({ path: `/trace?key=${id}` }) }),
    ...play('eventKey', 'listed', 200, { request: ({ id }) => ({ path: `/trace?key=${id}` }) }),
  ],
  'GET /transcripts': plain(200, path('/transcripts?machine=m&path=p.jsonl')),
  'GET /usage': [
    ...plain(200),
    ...play('person', 'person', 200, { request: ({ id }) => ({ path: `/usage?user=${id}` }) }),
  ],
  'GET /usage/forecast': plain(200),
  'POST /admin/api-keys': play('person', 'private', 201, {
    grants: ['read'],
    request: ({ id }) => ({ body: { user: id, name: 'made', scopes: ['read'] } }),
  }),
  'POST /admin/api-keys/:id/rotate': play('apiKey', 'private', 201, {
    uses: 'apiKey',
    grants: ['read'],
    request: body({}),
  }),
  'POST /admin/audit-log/verify': plain(200),
  'POST /admin/backup': plain(202),
  'POST /admin/backups/:id/verify': plain(202, path(`/admin/backups/${NO_BACKUP}/verify`)),
  'POST /admin/consistency': plain(202, body({})),
  'POST /admin/drill': plain(202, body({ backup_id: NO_BACKUP })),
  'POST /admin/legal-holds': play('session', 'private', 201, {
    uses: 'session',
    request: ({ id }) => ({ body: { subject: 'session', id, reason: 'a case' } }),
  }),
  'POST /admin/reindex': plain(202, body({ dry_run: true })),
  'POST /admin/restore': plain(422, body({ backup_id: 'none' })),
  'POST /admin/retention': plain(202, body({ dry_run: true })),
  'POST /admin/retention/runs/:id/approve': play('run', 'private', 409),
  'POST /admin/tenants': plain(201, () => ({ body: { name: fresh(), admin: { username: 'nora' } } })),
  'POST /admin/tenants/:id/invite': play('tenant', 'listed', 409),
  'POST /admin/users': [
    {
      object: null,
      rule: 'listed',
      status: 201,
      grants: OF_USERS,
      request: () => ({ body: { username: `u${randomUUID()}`, role: 'user' } }),
    },
  ],
  'POST /admin/users/:id/transfer': [
    ...play('person', 'private', 200, {
      uses: 'person',
      request: ({ own }) => ({ body: { to: own.person, dry_run: true } }),
    }),
    // The other way round: to a person of each tenant.
    ...play('person', 'private', 200, {
      request: async ({ id, make }) => ({
        path: `/admin/users/${await make('person')}/transfer`,
        body: { to: id, dry_run: true },
      }),
    }),
  ],
  'POST /admin/users/:id/invite': play('person', 'private', 201, { grants: OF_USERS }),
  'POST /archives/:id/restore': play('archive', 'private', 202),
  'POST /auth/api-keys/:id/rotate': play('apiKey', 'mine', 201, {
    uses: 'apiKey',
    grants: ['read'],
    request: body({}),
  }),
  'POST /auth/browser': plain(401, body({ code: 'x'.repeat(43) })),
  'POST /auth/browser/codes': [{ object: null, rule: 'listed', status: 201, ofKeys: true }],
  'POST /auth/invites/accept': plain(404, body({ token: `rci_${'x'.repeat(43)}` })),
  'POST /auth/login': plain(422, body({})),
  'POST /auth/logout': plain(200),
  'POST /auth/mfa/recovery': plain(401, body({ mfa_token: 'none', code: 'AAAA-AAAA-AAAA-AAAA' })),
  'POST /auth/mfa/totp': plain(201),
  'POST /auth/mfa/totp/confirm': plain(422, body({})),
  'POST /auth/mfa/verify': plain(401, body({ mfa_token: 'none', code: '123456' })),
  'POST /auth/step-up': plain(422, body({})),
  'POST /auth/passkeys/options': plain(200),
  'POST /auth/passkeys/register': plain(422, body({})),
  'POST /auth/passkeys/register/options': plain(200),
  'POST /auth/passkeys/verify': plain(422, body({})),
  'POST /auth/refresh': plain(401),
  'POST /context': [
    ...plain(200, body({ purpose: 'prompt', prompt: `Where is the ${PRIVATE_WORD}?` })),
    ...play('project', 'listed', 200, {
      request: ({ id }) => ({ body: { purpose: 'session_start', project: id } }),
    }),
  ],
  'POST /context/:id/feedback': play('context', 'private', 200, {
    request: ({ of }) => ({ body: { useful: [of.learning] } }),
  }),
  'POST /events': plain(202, () => ({
    body: { type: 'observation', host: 'test', session_id: 'of-the-matrix', text: 'A note', infer: false },
  })),
  'POST /events/batch': plain(202, body([])),
  'POST /exports': [
    ...play('session', 'private', 202, { request: ({ id }) => ({ body: { scope: 'session', subject: id } }) }),
    ...play('person', 'person', 202, { request: ({ id }) => ({ body: { scope: 'user', subject: id } }) }),
    ...play('project', 'admins', 202, { request: ({ id }) => ({ body: { scope: 'project', subject: id } }) }),
  ],
  'POST /gdpr/erase': [
    ...play('session', 'private', 202, {
      uses: 'session',
      request: ({ id }) => ({ body: { kind: 'session', session: id } }),
    }),
    // A caller who erases the own person would play no further cell.
    ...play('person', 'person', 202, {
      uses: 'person',
      without: 'own',
      request: ({ id }) => ({ body: { kind: 'user', user: id } }),
    }),
    { object: null, rule: 'admins', status: 422, request: body({ kind: 'tenant', name: 'not the name' }) },
    { object: null, rule: 'admins', status: 200, request: body({ kind: 'text', text: fresh(), dry_run: true }) },
    // Of users it waits for an admin.
    ...plain(202, () => ({ body: { kind: 'text', text: fresh() } })),
  ],
  'POST /gdpr/export': [
    ...play('person', 'person', 202, { request: ({ id }) => ({ body: { user: id } }) }),
    { object: null, rule: 'admins', status: 202, request: body({ include_restricted: true }) },
  ],
  'POST /gdpr/rectify': [
    ...play('observation', 'private', 200, { request: ({ id }) => ({ body: { id, correction: { tags: ['a'] } } }) }),
    ...play('learning', 'decided', 200, { request: ({ id }) => ({ body: { id, correction: { importance: 0.5 } } }) }),
    ...play('privateLearning', 'private', 200, {
      request: ({ id }) => ({ body: { id, correction: { importance: 0.5 } } }),
    }),
  ],
  'POST /gdpr/requests/:id/decide': play('request', 'private', 200, {
    uses: 'request',
    request: body({ decision: 'decline', reason: 'a test' }),
  }),
  'POST /gdpr/requests/:id/extend': play('request', 'private', 200, {
    uses: 'request',
    request: body({ days: 1, reason: 'a test' }),
  }),
  'POST /gdpr/restrict': [
    ...play('session', 'private', 200, {
      uses: 'session',
      request: ({ id }) => ({ body: { session: id, until: UNTIL } }),
    }),
    ...play('person', 'person', 200, { request: ({ id }) => ({ body: { user: id, until: OVER } }) }),
  ],
  'POST /hooks/:event': plain(200, () => ({ path: '/hooks/Stop', body: { session_id: 'of-the-matrix' } })),
  'POST /imports': plain(422, body({ kind: 'transcripts', directory: '/nowhere' }), 'admins'),
  'POST /imports/:id/cancel': [...play('import', 'private', 202), ...play('fileImport', 'listed', 404)],
  'POST /imports/claude-mem/rows': plain(200, () => ({
    path: `/imports/claude-mem/rows?source=${SOURCE}&table=observations&dry_run=true`,
    ...ndjson('{"id":1,"title":"A finding"}'),
  })),
  'POST /imports/files': plain(202, () => ({ raw: 'no file', headers: { 'content-type': 'application/zstd' } })),
  'POST /jobs/:id/cancel': play('session', 'owned', 202, {
    request: ({ id }) => ({ path: `/jobs/session.${id}/cancel` }),
  }),
  'POST /jobs/:id/retry': play('session', 'owned', 202, {
    request: ({ id }) => ({ path: `/jobs/session.${id}/retry` }),
  }),
  'POST /learnings': [
    ...plain(201, () => ({ body: { title: 'A title', description: fresh() } })),
    ...play('observation', 'private', 201, {
      hidden: 422,
      request: ({ id }) => ({
        body: { title: 'A title', description: fresh(), evidence: [{ row_id: id, quote: PRIVATE_WORD }] },
      }),
    }),
  ],
  'POST /learnings/:id/invalidate': [
    ...play('learning', 'owned', 200, { uses: 'learning', request: body({ reason: 'no longer true' }) }),
    ...play('privateLearning', 'private', 200, { uses: 'privateLearning', request: body({ reason: 'no longer' }) }),
  ],
  // Of a current learning: refused after the rights.
  'POST /learnings/:id/reopen': [
    ...play('learning', 'owned', 409, { request: body({ reason: 'true again' }) }),
    ...play('privateLearning', 'private', 409, { request: body({ reason: 'true again' }) }),
  ],
  'POST /learnings/:id/supersede': play('learning', 'owned', 200, {
    uses: 'learning',
    request: () => ({ body: { by: { title: 'A title', description: fresh() }, reason: 'newer' } }),
  }),
  'POST /learnings/:id/unverify': play('learning', 'verified', 200),
  'POST /learnings/:id/verify': play('learning', 'verified', 200, { request: body({}) }),
  'POST /learnings/batch': [
    ...play('learning', 'listed', 200, {
      request: ({ id }) => ({ body: { action: 'reopen', ids: [id], reason: 'r' } }),
    }),
    ...play('privateLearning', 'listed', 200, {
      request: ({ id }) => ({ body: { action: 'reopen', ids: [id], reason: 'r' } }),
    }),
  ],
  'POST /mcp': plain(200, () => ({ headers: MCP, raw: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) })),
  'POST /memories': plain(201, () => ({ body: { content: fresh() } })),
  'POST /memories/batch': plain(200, () => ({ body: { memories: [{ content: fresh() }] } })),
  'POST /memories/get': [
    ...play('observation', 'listed', 200, { request: ({ id }) => ({ body: { ids: [id] } }) }),
    ...play('privateLearning', 'listed', 200, { request: ({ id }) => ({ body: { ids: [id] } }) }),
  ],
  'POST /projects/:id/merge': [
    ...play('project', 'owned', 200, { uses: 'project', request: ({ own }) => ({ body: { into: own.project } }) }),
    // The other way round: what is one's own goes into what is not.
    ...play('project', 'owned', 200, {
      without: 'own',
      request: async ({ id, make }) => ({ path: `/projects/${await make('project')}/merge`, body: { into: id } }),
    }),
  ],
  'POST /schedules/:name/pause': plain(422, () => ({ path: '/schedules/none/pause', body: { reason: 'a test' } })),
  'POST /schedules/:name/resume': plain(422, path('/schedules/none/resume')),
  'POST /schedules/:name/run': plain(422, path('/schedules/none/run')),
  'POST /search/semantic': plain(200, body({ q: PRIVATE_WORD })),
  'POST /sessions/:id/close': play('session', 'owned', NO_WORKER),
  'POST /sessions/:id/summaries': play('session', 'owned', NO_WORKER),
  'POST /transcripts': plain(200, () => ({
    path: '/transcripts?machine=m&path=p.jsonl&fingerprint=f&offset=0&size=3&modified_at=2026-01-02T03:04:05Z&quiet_ms=0',
    ...ndjson('{}'),
  })),
  'PUT /admin/api-keys/:id': play('apiKey', 'private', 200, { request: body({ name: 'renamed' }) }),
  'PUT /admin/retention/policies': [
    ...plain(200, body({ policies: [] })),
    ...play('project', 'private', 200, {
      hidden: 422,
      request: ({ id }) => ({
        body: { policies: [{ resource: 'prompt', project: id, age_days: 30, action: 'delete' }] },
      }),
    }),
  ],
  'PUT /admin/settings/:key': plain(200, () => ({
    path: '/admin/settings/capture.exclude',
    body: { value: ['/unused/**'] },
  })),
  'PUT /admin/settings/learnings.visibility': plain(200, body({ value: 'shared' })),
  'PUT /admin/tenants/:id': play('tenant', 'listed', 200, { request: body({ suspended: false }) }),
  'PUT /admin/users/:id': play('person', 'private', 200, { request: body({ email: null }) }),
  'PUT /auth/passkeys/:id': plain(404, () => ({ path: `/auth/passkeys/${NO_BACKUP}`, body: { name: 'x' } })),
  'PUT /auth/password': plain(422, body({ password: 'short' })),
  'PUT /learnings/:id': [
    ...play('learning', 'owned', 200, { uses: 'learning', request: () => ({ body: { description: fresh() } }) }),
    ...play('privateLearning', 'private', 200, {
      uses: 'privateLearning',
      request: () => ({ body: { description: fresh() } }),
    }),
  ],
  'PUT /learnings/:id/visibility': [
    ...play('learning', 'owned', 200, { uses: 'learning', request: body({ visibility: 'private' }) }),
    ...play('privateLearning', 'private', 200, { uses: 'privateLearning', request: body({ visibility: 'shared' }) }),
  ],
  'PUT /memories/:id': [
    ...play('observation', 'private', 200, { request: body({ tags: ['a'] }) }),
    ...play('learning', 'owned', 200, { request: body({ importance: 0.5 }) }),
    ...play('privateLearning', 'private', 200, { request: body({ importance: 0.5 }) }),
  ],
  'PUT /projects/:id': play('project', 'owned', 200, { request: body({ display_name: 'renamed' }) }),
  'PUT /sessions/:id': play('session', 'owned', 200, { request: body({ title: 'A title' }) }),
  // Far from `DELETE /auth/sessions`, which ends the session that this request names if both run at once.
  'DELETE /auth/sessions/:id': play('userSession', 'mine', 200, { uses: 'userSession' }),
};
