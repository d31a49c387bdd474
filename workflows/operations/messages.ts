export const CAPTURE_SWEEP_WORKFLOW = 'captureSweep';
export const PARTITIONS_WORKFLOW = 'partitions';
