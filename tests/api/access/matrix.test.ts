import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiAnswer } from '../../setup/instance.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { errorOf, inTime, writingNothing } from '../support/answers.ts';
import { createCallers } from '../support/matrix/callers.ts';
import type { Caller } from '../support/matrix/callers.ts';
import { expectedOf, hiddenFrom, OWNERS } from '../support/matrix/expectation.ts';
import type { Expected, OwnerKind } from '../support/matrix/expectation.ts';
import { objectsOf } from '../support/matrix/objects.ts';
import type { Owner } from '../support/matrix/objects.ts';
import { NO_WORKER, PLAYS } from '../support/matrix/plays.ts';
import type { Given, Play } from '../support/matrix/plays.ts';
import { nameOf, ROUTE_RIGHTS } from '../support/route-rights.ts';

/** Requests at once; some wait seconds for a worker, which is not there. */
const AT_ONCE = 16;
/** Limit for a hang: some thousand requests take half a minute, beside other tests three. */
const BUSY_MS = 1_800_000;
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-matrix-'));
// Runs last, after the instance is closed.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const instance = fileInstance({
  RECOLLECT_ARCHIVE_STORE: path.join(folder, 'archive'),
  RECOLLECT_FULL_VALUES_DIR: path.join(folder, 'values'),
  RECOLLECT_TRANSCRIPT_ROOTS: folder,
  RECOLLECT_RATE_READ: '0',
  RECOLLECT_RATE_WRITE: '0',
  RECOLLECT_RATE_ADMIN: '0',
});
let objects: ReturnType<typeof objectsOf>;
let callers: readonly Caller[];
let everyone: readonly Owner[];

/** One request: a caller, a route, and whose object it names. */
interface Cell {
  readonly route: string;
  readonly play: Play;
  readonly caller: Caller;
  readonly owner: OwnerKind;
  readonly expected: Expected;
}

const of = ({ caller, owner }: Cell): Owner => caller[owner === 'own' ? 'person' : owner];
const titleOf = ({ route, play, caller, owner }: Cell) =>
  `${route} by ${caller.name}${play.object === null ? '' : ` on ${owner} ${play.object}`}`;

const ownersOf = (caller: Caller, play: Play): readonly OwnerKind[] =>
  play.object === null || (caller.isFurther && play.without === undefined)
    ? ['own']
    : OWNERS.filter((owner) => owner !== play.without);

const cellsOf = (caller: Caller): Cell[] =>
  Object.entries(PLAYS).flatMap(([route, plays]) =>
    plays.flatMap((play) =>
      ownersOf(caller, play).map((owner) => {
        const right = ROUTE_RIGHTS[route];
        if (right === undefined) throw new Error(`no right of ${route}`);
        return { route, play, caller, owner, expected: expectedOf(right, play, caller, owner) };
      }),
    ),
  );

async function send(cell: Cell, key: string | null): Promise<ApiAnswer> {
  const { route, play, caller, expected } = cell;
  const owner = of(cell);
  const shared = play.object === null ? '' : owner.objects[play.object];
  const isUsed = play.uses !== undefined && expected.code === null;
  const id = isUsed ? await objects.make(play.uses, owner) : shared;
  // What is to be refused writes nothing.
  const make: Given['make'] = async (kind) =>
    expected.code === null ? objects.make(kind, caller.person) : caller.person.objects[kind];
  const sent = (await play.request?.({ id, of: owner.objects, own: caller.person.objects, make })) ?? {};
  const [method = '', pattern = ''] = route.split(' ');
  const { path: address = pattern.replace(/:\w+/, id), ...options } = sent;
  const answer = () => instance.call(method, address, { key, ...options });
  return expected.status === NO_WORKER ? answer() : inTime(answer);
}

/** What is wrong with the answer of a cell; null: nothing. */
function faultOf({ caller, expected }: Cell, answer: ApiAnswer): string | null {
  const text = JSON.stringify(answer.body);
  if (answer.status !== expected.status) return `${answer.status}, not ${expected.status}: ${text.slice(0, 200)}`;
  const code = expected.code === null ? null : errorOf(answer).code;
  if (code !== expected.code) return `${code}, not ${expected.code}`;
  const shown = hiddenFrom(caller, everyone).find(({ mark }) => text.includes(mark));
  return shown === undefined ? null : 'shows a private row';
}

async function wrongOf(cells: readonly Cell[], key: string | null): Promise<string[]> {
  const wrong: string[] = [];
  const waiting = [...cells];
  const next = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const fault = faultOf(cell, await send(cell, key));
      if (fault !== null) wrong.push(`${titleOf(cell)}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return wrong.toSorted();
}

beforeAll(async () => {
  objects = objectsOf(instance, path.join(folder, 'archive'));
  callers = await createCallers(instance, objects);
  everyone = [...new Set(callers.flatMap(({ person, other, foreign }) => [person, other, foreign]))];
});

test('every route has requests, and no other, files of pages excepted', () => {
  const isFile = (url: string) => url === '/' || /^\/(?:docs|assets)/.test(url);
  const routes = instance.routes.filter(({ method, url }) => method !== 'HEAD' && !isFile(url));
  expect(Object.keys(PLAYS).toSorted()).toEqual([...new Set(routes.map(nameOf))].toSorted());
});

// Without a worker, jobs start and change nothing: the objects remain.
test(
  'every route is answered as the table expects, to every caller, for an object of every owner',
  async () => {
    const wrong: string[] = [];
    let played = 0;
    for (const caller of callers) {
      const cells = cellsOf(caller);
      const key = await caller.signIn();
      const [permitted, refused] = [true, false].map((is) =>
        cells.filter(({ expected }) => (expected.code === null) === is),
      );
      wrong.push(
        ...(await writingNothing(instance, () => wrongOf(refused ?? [], key))),
        ...(await wrongOf(permitted ?? [], key)),
      );
      played += cells.length;
    }
    process.stdout.write(`requests played: ${played}; objects wrong: ${wrong.length}\n`);
    expect(wrong).toEqual([]);
  },
  BUSY_MS,
);
