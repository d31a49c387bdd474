/** One line of the doctor. `fail` keeps an instance from starting; `warn` does not. */
export interface Finding {
  readonly result: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly text: string;
  /** What to do. */
  readonly advice?: string;
}
