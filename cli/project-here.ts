import { projectFacts } from '../hook/project/facts.ts';

/** Project of a folder, identified as in hooks. */
export interface ProjectHere {
  /** Git remote, else root folder. */
  readonly known: string;
  /** The same for a repository; null for other folders, which a stored memory need not belong to. */
  readonly repository: string | null;
}

/** Returns the project of the current folder. */
export async function projectHere(dataDir: string): Promise<ProjectHere> {
  const folder = process.cwd();
  const { git_remote: remote, root, repository } = await projectFacts(folder, dataDir);
  const known = remote ?? root ?? folder;
  return { known, repository: remote === undefined && repository === undefined ? null : known };
}
