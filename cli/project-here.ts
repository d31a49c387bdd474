import { projectFacts } from '../hook/project/facts.ts';

/** The project of a folder, as hooks tell it. */
export interface ProjectHere {
  /** Its remote, else its root folder. */
  readonly known: string;
  /** The same for a repository; null for any other folder, which what is remembered there need not be about. */
  readonly repository: string | null;
}

export async function projectHere(dataDir: string, folder = process.cwd()): Promise<ProjectHere> {
  const { git_remote: remote, root, repository } = await projectFacts(folder, dataDir);
  const known = remote ?? root ?? folder;
  return { known, repository: remote === undefined && repository === undefined ? null : known };
}
