/** Sensitivity of a row, lowest first. Capture sets it by what it finds; `public` is only set by users. */
export const DATA_CLASSES = ['public', 'internal', 'sensitive', 'confidential', 'restricted'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

/** Returns the higher of two classes. */
export function higherClass(one: DataClass, other: DataClass): DataClass {
  return DATA_CLASSES.indexOf(one) >= DATA_CLASSES.indexOf(other) ? one : other;
}
