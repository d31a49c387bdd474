export type * from './contract.ts';
export { RecollectClient } from './recollect-client.ts';
export { RecollectError } from './recollect-error.ts';
