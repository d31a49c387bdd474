/** Attributes by which workflows can be listed: ids and closed words only. */
export const ATTRIBUTES = {
  tenant: { name: 'RecollectTenant', type: 'KEYWORD' },
  project: { name: 'RecollectProject', type: 'KEYWORD' },
  phase: { name: 'RecollectPhase', type: 'KEYWORD' },
  waiting: { name: 'RecollectWaiting', type: 'KEYWORD' },
} as const;
