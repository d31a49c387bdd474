import type { JSX } from 'preact';
import { useResource } from '../../link/resource.ts';
import { addressOfMemory } from '../../parts/places.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** The complete text of a memory, with a link to its place. Reading one by its id counts as no use of it. */
export function MemoryText({ id }: { readonly id: string }): JSX.Element {
  const t = inLanguage(texts);
  const memory = useResource('GET /memories/{id}', { path: { id } });
  return (
    <LoadedView of={memory}>
      {(data) => {
        const address = addressOfMemory(data);
        return (
          <>
            <p>
              <strong>
                <Text text={data.title} />
              </strong>
            </p>
            <Quoted text={data.content} />
            {address === null ? null : <a href={address}>{t.toPlace}</a>}
          </>
        );
      }}
    </LoadedView>
  );
}
