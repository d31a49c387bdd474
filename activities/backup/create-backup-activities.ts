import type pg from 'pg';
import type { JournalHead } from '../../domain/erasure/erasure-journal.ts';
import { keyIdOf } from '../../domain/backup/set-keys.ts';
import { BackupSetError, setsToPrune } from '../../domain/backup/sets.ts';
import { publicKeyOf } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { copyArchivedFiles, storeArchivedFiles, pruneArchivedFiles } from './archived-files.ts';
import { filesOf, manifestSha256Of, listSets, removeSet } from './read-manifest.ts';
import { withBackupLock } from './snapshot.ts';
import { copySet, verifySet } from './verify-set.ts';
import { writeSet } from './write-set.ts';
import { addAnchors } from '../../stores/postgres/audit/anchors.ts';
import {
  beginBackup,
  endBackup,
  lastVerified,
  noteCopy,
  noteProgress,
  noteRemoved,
  noteVerified,
  recordCompleteSet,
  setsToCopy,
  setsBeingRead,
  setsKnown,
} from '../../stores/postgres/backups/backup-writes.ts';
import type { BackupCounts } from '../../stores/postgres/backups/backup-writes.ts';
import { storedHead } from '../../stores/postgres/erasure/erasure-journal.ts';
import type { BackupActivities } from '../../workflows/backup/types.ts';
import { openJournal } from '../erasure/journal.ts';
import { failureType, NotConfigured } from '../failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { createPace } from './pace.ts';

export interface BackupDependencies {
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** The same, for the connections that copy. */
  readonly databaseUrl: string;
  readonly connectTimeoutMs: number;
  readonly vectors: Pick<VectorIndex, 'export'>;
  /** Null: none is set. */
  readonly store: ArchiveStore | null;
  readonly copy: ArchiveStore | null;
  /** Files of archived sessions; null without an archive store. */
  readonly archives: ArchiveStore | null;
  /** Stores of the erasure journals: this store and its copy. */
  readonly journals: readonly ArchiveStore[];
  /** The newest first; none: backups are not encrypted. Read for each backup. */
  readonly keys: () => Promise<readonly Uint8Array[]>;
  /** PKCS #8 DER, Ed25519. */
  readonly signingKey: Uint8Array | null;
  /** Further keys whose sets may be read: SPKI, base64. */
  readonly trustedKeys: readonly string[];
  readonly keep: { readonly keepDays: number; readonly keepLast: number };
  readonly isBurst: () => Promise<boolean>;
  readonly recollectVersion: string;
}

/** A set is made in six hours at most, and copied in as many. */
const GIVEN_UP_MS = 2 * 86_400_000;

function countsOf(manifest: Manifest): BackupCounts {
  const files = filesOf(manifest);
  const sum = (of: 'bytes' | 'plainBytes'): number => files.reduce((all, file) => all + file[of], 0);
  return {
    files: files.length + 1,
    rows: manifest.tables.reduce((all, table) => all + table.rows, 0),
    vectors: manifest.vectors.reduce((all, index) => all + index.objects, 0),
    bytes: sum('bytes'),
    plainBytes: sum('plainBytes'),
  };
}

/** Creates, copies, verifies and prunes backups; the backup lock lets one run at a time in the instance. */
export function createBackupActivities(dependencies: BackupDependencies): BackupActivities {
  const { maintenance, databaseUrl, connectTimeoutMs, copy, archives, signingKey } = dependencies;

  const storeOf = (): ArchiveStore => {
    if (dependencies.store === null) throw new NotConfigured('RECOLLECT_BACKUP_STORE: backups require it');
    return dependencies.store;
  };
  const signerOf = (): Uint8Array => {
    if (signingKey === null) throw new NotConfigured('RECOLLECT_BACKUP_SIGNING_KEY: backups require it');
    return signingKey;
  };
  const trusted = (): string[] => [
    ...(signingKey === null ? [] : [publicKeyOf(signingKey)]),
    ...dependencies.trustedKeys,
  ];
  const exclusively = <Result>(signal: AbortSignal, work: (client: pg.Client) => Promise<Result>): Promise<Result> =>
    withBackupLock(databaseUrl, connectTimeoutMs, signal, work);

  /**
   * Removes incomplete backups. Under the lock, an incomplete backup of this instance is abandoned. An unknown one may belong to another
   * instance that is writing: it is removed once its last file is older than any backup takes.
   */
  const removeIncomplete = async (store: ArchiveStore, signal: AbortSignal): Promise<void> => {
    const { incomplete } = await listSets(store, signal);
    const known = await setsKnown(
      maintenance,
      incomplete.map(({ id }) => id),
    );
    const given = Date.now() - GIVEN_UP_MS;
    for (const { id, at } of incomplete)
      if (known.includes(id) || at.getTime() < given) await removeSet(store, id, signal);
  };

  const prune = async (store: ArchiveStore, signal: AbortSignal): Promise<string[]> => {
    const { complete } = await listSets(store, signal);
    const rule = { ...dependencies.keep, lastGood: await lastVerified(maintenance) };
    const read = await setsBeingRead(maintenance);
    const old = setsToPrune(complete, rule, new Date())
      .map(({ id }) => id)
      .filter((id) => !read.includes(id));
    for (const id of old) await removeSet(store, id, signal);
    return old;
  };

  /** Opens the erasure journal, stores pending entries and returns the head for the manifest. */
  const journalOf = async (signal: AbortSignal): Promise<JournalHead | null> => {
    await openJournal(dependencies, signal).catch((error: unknown) => {
      // The copy store may be unavailable: the manifest records the entries that both stores have.
      if (!(error instanceof ArchiveStoreError)) throw error;
    });
    return storedHead(maintenance);
  };

  /** Removes archived files that neither an archive nor a remaining backup needs. */
  const pruneFiles = async (signal: AbortSignal): Promise<void> => {
    const stores = copy === null ? [storeOf()] : [storeOf(), copy];
    let oldest = new Date();
    for (const store of stores)
      for (const { id, at } of (await listSets(store, signal)).complete) {
        // The version 7 id contains the start time; the object's own time is later if it was copied.
        const startedAt = new Date(Math.min(at.getTime(), Number.parseInt(id.replace('-', '').slice(0, 12), 16)));
        if (startedAt < oldest) oldest = startedAt;
      }
    const [key = null] = await dependencies.keys();
    await pruneArchivedFiles(maintenance, stores, { oldest, keyId: key === null ? null : keyIdOf(key) }, signal);
  };

  const copyOne = async (to: ArchiveStore, id: string, signal: AbortSignal): Promise<void> => {
    await copySet(storeOf(), to, id, trusted(), signal, () => noteCopy(maintenance, id, 'copied'));
    await noteCopy(maintenance, id, 'verified');
  };

  return {
    createBackup: ({ backupId, workflowId }) =>
      withHeartbeat((signal) =>
        exclusively(signal, async (client) => {
          // First, so that a backup that fails is listed.
          await beginBackup(client, backupId, workflowId);
          const store = storeOf();
          const signingKey = signerOf();
          const [key = null] = await dependencies.keys();
          // A previous attempt may have completed the set and lost its result; it may be hours old, so that it is created again.
          await removeSet(store, backupId, signal);
          await removeIncomplete(store, signal);
          const storeFiles = async (): Promise<void> => {
            if (archives !== null) await storeArchivedFiles(maintenance, archives, store, key, signal);
          };
          await storeFiles();
          const { manifest, manifestSha256, counts } = await writeSet(
            client,
            { ...dependencies, live: maintenance, signingKey, journal: await journalOf(signal) },
            { store, backupId, key, pace: createPace(dependencies.isBurst, signal), signal },
            (counts) => noteProgress(maintenance, backupId, counts),
          );
          // Sessions that were archived meanwhile.
          await storeFiles();
          await addAnchors(maintenance, manifest.audit, new Date(manifest.snapshotAt));
          await recordCompleteSet(maintenance, backupId, {
            ...counts,
            manifestSha256,
            snapshotAt: manifest.snapshotAt,
            keyId: manifest.encryption?.keyId ?? null,
          });
          const { files, rows, vectors, bytes } = counts;
          return { files, rows, vectors, bytes };
        }),
      ),
    copyBackup: ({ backupId }) =>
      withHeartbeat(async (signal) => {
        if (copy === null) return { copied: false };
        await exclusively(signal, async () => {
          await copyOne(copy, backupId, signal);
          // Backups that could not be copied while the other store was unavailable.
          for (const id of await setsToCopy(maintenance, backupId))
            await copyOne(copy, id, signal).catch((error: unknown) => {
              // A corrupted older backup must not fail the copies of the others.
              if (!(error instanceof BackupSetError)) throw error;
            });
          await copyArchivedFiles(maintenance, storeOf(), copy, signal);
          await removeIncomplete(copy, signal);
          await prune(copy, signal);
        });
        return { copied: true };
      }),
    pruneBackups: () =>
      withHeartbeat((signal) =>
        exclusively(signal, async () => {
          await removeIncomplete(storeOf(), signal);
          const removed = await prune(storeOf(), signal);
          await noteRemoved(maintenance, removed);
          await pruneFiles(signal);
          return { removed: removed.length };
        }),
      ),
    verifyBackup: ({ backupId }) =>
      withHeartbeat(async (signal) => {
        try {
          const access = { trusted: trusted(), keys: await dependencies.keys() };
          const manifest = await verifySet(storeOf(), backupId, access, signal);
          await recordCompleteSet(maintenance, backupId, {
            ...countsOf(manifest),
            manifestSha256: await manifestSha256Of(storeOf(), backupId, signal),
            snapshotAt: manifest.snapshotAt,
            keyId: manifest.encryption?.keyId ?? null,
          });
          await noteVerified(maintenance, backupId, 'read', null);
        } catch (error) {
          if (error instanceof BackupSetError) await noteVerified(maintenance, backupId, 'read', failureType(error));
          throw error;
        }
      }),
    finishBackup: ({ backupId, state, error }) =>
      withHeartbeat(async (signal) => {
        if (state !== 'completed' && dependencies.store !== null) {
          const { store } = dependencies;
          await exclusively(signal, async () => {
            const { incomplete } = await listSets(store, signal);
            if (incomplete.some(({ id }) => id === backupId)) await removeSet(store, backupId, signal);
          }).catch((cause: unknown) => {
            // An unavailable store must not block the record; the next run removes the leftovers.
            if (!(cause instanceof ArchiveStoreError)) throw cause;
          });
        }
        await endBackup(maintenance, backupId, state, error);
      }),
  };
}
