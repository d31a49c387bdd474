import type { JSX } from 'preact';
import { mayOperate, me } from '../../link/me.ts';
import { usePoll } from '../../link/poll.ts';
import { useResource } from '../../link/resource.ts';
import { Copy } from '../../parts/copy.tsx';
import { Pairs } from '../../parts/pairs.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { durationText } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { HistoryView } from './history.tsx';
import { texts } from './texts.ts';

const NAMES = ['postgres', 'temporal', 'weaviate', 'embedder'] as const;

function AboutView(): JSX.Element {
  const t = inLanguage(texts);
  const about = useResource('GET /about', {});
  return (
    <section class="panel">
      <h2>{t.about}</h2>
      <LoadedView of={about}>
        {({ instance_id: id, public_url: publicUrl, tls, sign_in: signIn }) => (
          <Pairs
            of={[
              [t.version, me.value?.server.version],
              [
                t.instance,
                <>
                  <code>{id}</code> <Copy text={id} />
                </>,
              ],
              [t.address, publicUrl ?? t.none],
              [t.https, tls ? t.yes : t.no],
              [
                t.signIns,
                [
                  t.byKey,
                  ...(signIn.password ? [t.byPassword] : []),
                  ...(signIn.passkeys ? [t.byPasskey] : []),
                  ...signIn.providers.map(({ label }) => label),
                ].join(', '),
              ],
            ]}
          />
        )}
      </LoadedView>
    </section>
  );
}

/** The state of each dependency, read again every two seconds, for operators the last day, and the instance. */
export function HealthView(): JSX.Element {
  const t = inLanguage(texts);
  const health = useResource('GET /health', { query: {} });
  usePoll(true, health.reload);
  return (
    <div class="page">
      <section class="panel">
        <h2>{t.health}</h2>
        <LoadedView of={health}>
          {(answer) => (
            <>
              <p class="line">
                <span class={`badge ${answer.status}`}>{t.healthStates[answer.status]}</span>{' '}
                {t.healthHints[answer.status]}
              </p>
              {'dependencies' in answer ? (
                <Table
                  caption={t.dependencies}
                  rows={NAMES}
                  keyOf={(name) => name}
                  columns={[
                    { head: t.part, cell: (name) => t.dependencyNames[name] },
                    {
                      head: t.state,
                      cell: (name) => {
                        const { status } = answer.dependencies[name];
                        return <span class={`badge ${status}`}>{t.healthStates[status]}</span>;
                      },
                    },
                    {
                      head: t.latency,
                      cell: (name) => {
                        const { latency_ms: ms } = answer.dependencies[name];
                        return ms === null ? '–' : durationText(ms);
                      },
                      isNumber: true,
                    },
                    { head: t.without, cell: (name) => t.withouts[name] },
                  ]}
                />
              ) : null}
            </>
          )}
        </LoadedView>
      </section>
      {mayOperate() ? <HistoryView /> : null}
      <AboutView />
    </div>
  );
}
