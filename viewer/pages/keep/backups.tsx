import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Backup } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { usePoll } from '../../link/poll.ts';
import { useList } from '../../link/pages.ts';
import { invalidate } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { bytesText, fullCount } from '../../parts/amounts.ts';
import { Copy } from '../../parts/copy.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView, More } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { Drills } from './drills.tsx';
import { texts } from './texts.ts';
import { endsJob } from './views.ts';

const PAGE_ROWS = 10;

function BackupView({ backup, onDrill }: { readonly backup: Backup; readonly onDrill: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const act = useAct();
  const { id, state, error, verified_at: verifiedAt, verified_how: how, verify_error: fault } = backup;
  const isUsable = backup.complete && backup.removed_at === null;
  const restore = `recollect restore ${id} --overwrite --wait`;
  const verify = async (): Promise<void> => {
    await ask('POST /admin/backups/{id}/verify', { path: { id } });
    invalidate('/admin/backups', '/jobs');
  };
  return (
    <section class="panel" aria-label={id}>
      <div class="line">
        <h3>
          <RelativeTime at={backup.created_at} />
        </h3>
        <span class={`badge ${state}`}>{t.states[state]}</span>
        {isUsable ? (
          <>
            <button type="button" disabled={act.isRunning} onClick={() => act.run(verify, t.verifyStarted)}>
              {t.verify}
            </button>
            <button type="button" onClick={onDrill}>
              {t.drill}
            </button>
          </>
        ) : null}
      </div>
      <p class="muted">
        {t.backupSize(
          bytesText(backup.bytes),
          fullCount(backup.rows),
          fullCount(backup.files),
          fullCount(backup.vectors),
        )}
        {' · '}
        {backup.encryption_key === null ? <span class="warn">{t.notEncrypted}</span> : t.encrypted}
      </p>
      {error === null ? null : (
        <p class="bad">
          <code>{error}</code>
        </p>
      )}
      {fault === null ? null : (
        <p class="bad">
          {t.verifyFailed} <code>{fault}</code>
        </p>
      )}
      {verifiedAt === null ? (
        isUsable ? (
          <p class="warn">{t.notVerified}</p>
        ) : null
      ) : (
        <p class="good">
          {how === 'drill' ? t.verifiedByDrill : t.verifiedByRead} <RelativeTime at={verifiedAt} />
        </p>
      )}
      {backup.copied_at === null ? null : (
        <p class={backup.copy_verified_at === null ? 'warn' : 'good'}>
          {backup.copy_verified_at === null ? t.copied : t.copyVerified} <RelativeTime at={backup.copied_at} />
        </p>
      )}
      {backup.removed_at === null ? null : <p class="muted">{t.removed}</p>}
      {act.note}
      {isUsable ? (
        <details>
          <summary>{t.restore}</summary>
          <p>{t.restoreHint}</p>
          <p>
            <code>{restore}</code> <Copy text={restore} />
          </p>
        </details>
      ) : null}
    </section>
  );
}

/** The confirmation of a restore drill; without an id, of the newest backup. */
function StartDrill({ id, onClose }: { readonly id: string; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const drill = async (): Promise<void> => {
    await ask('POST /admin/drill', { body: { backup_id: id } });
    invalidate('/admin/restores', '/jobs');
  };
  return (
    <Confirm title={t.drillTitle} action={t.drill} onConfirm={drill} onClose={onClose}>
      <p>{t.drillHint}</p>
    </Confirm>
  );
}

/** Backups, their verification, and drills with their comparison. A restore replaces data: it is shown as a command only. */
export function Backups(): JSX.Element {
  const t = inLanguage(texts);
  const list = useList('GET /admin/backups', { query: { limit: PAGE_ROWS } }, ({ id }) => id, endsJob);
  const [drilled, setDrilled] = useState<string | null>(null);
  const act = useAct();
  usePoll(
    list.items.some(({ state }) => state === 'running'),
    list.reload,
  );
  const start = async (): Promise<void> => {
    await ask('POST /admin/backup', {});
    invalidate('/admin/backups', '/jobs');
    list.reload();
  };
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs.backups}</h2>
        <button type="button" class="primary" disabled={act.isRunning} onClick={() => act.run(start, t.backupStarted)}>
          {t.backUp}
        </button>
      </div>
      {act.note}
      <LoadedView of={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t.noBackups} command="recollect backup" />
          ) : (
            <>
              {items.map((backup) => (
                <BackupView key={backup.id} backup={backup} onDrill={() => setDrilled(backup.id)} />
              ))}
              <More of={list} />
            </>
          )
        }
      </LoadedView>
      <Drills onVerified={list.reload} />
      {drilled === null ? null : <StartDrill id={drilled} onClose={() => setDrilled(null)} />}
    </div>
  );
}
