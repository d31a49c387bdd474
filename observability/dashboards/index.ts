import { capture } from './capture.ts';
import type { Dashboard } from './dashboard.ts';
import { models } from './models.ts';
import { overview } from './overview.ts';
import { people } from './people.ts';
import { retrieval } from './retrieval.ts';
import { storage } from './storage.ts';
import { workflows } from './workflows.ts';

/** All dashboards. */
export const DASHBOARDS: readonly Dashboard[] = [overview, capture, models, retrieval, workflows, storage, people];
