import type { JSX } from 'preact';
import { useResource } from '../../link/resource.ts';
import { Secret } from '../../parts/secret.tsx';
import { inLanguage } from '../../texts/language.ts';
import { joinCommand } from './filters.ts';
import { texts } from './texts.ts';

/** The command by which a person accepts an invite, shown once. */
export function Invite(props: { readonly token: string; readonly onClose: () => void }): JSX.Element | null {
  const t = inLanguage(texts);
  const { data: about, error } = useResource('GET /about', {});
  // Not before the address of the server is known: a wrong one would be sent to a person.
  if (about === undefined && error === null) return null;
  return (
    <Secret
      title={t.invite}
      hint={t.inviteHint}
      text={joinCommand(about?.public_url ?? location.origin, props.token)}
      onClose={props.onClose}
    />
  );
}
