import type { Session } from '../../contract/sessions.ts';

const TRANSCRIPT: Readonly<Record<Session['gaps'][number]['transcript'], string>> = {
  read: 'its transcript was read since then',
  expected: 'its transcript will be read',
  missing: 'no transcript is read: run recollect import transcripts',
};

/** Returns the possible gaps of a session, one line each. */
export function gapLines({ gaps }: Pick<Session, 'gaps'>): string[] {
  return gaps.map(
    ({ from, to, transcript }) =>
      `Possible gap from ${second(from)} to ${second(to)} UTC: the server was unreachable; ${TRANSCRIPT[transcript]}.`,
  );
}

/** Returns the possible gaps of sessions below their names; '' for none. */
export function gapText(sessions: readonly Session[]): string {
  return sessions
    .filter(({ gaps }) => gaps.length > 0)
    .map((session) => `${session.id} (${session.host}:${session.external_id})\n  ${gapLines(session).join('\n  ')}\n`)
    .join('');
}

function second(moment: string): string {
  return moment.slice(0, 19).replace('T', ' ');
}
