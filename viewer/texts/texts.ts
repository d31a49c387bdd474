/** Texts of one language: strings, functions of values, and groups of both. */
export interface TextGroup {
  readonly [name: string]: string | ((...values: never[]) => string) | TextGroup;
}

/** The same texts in another language: a missing or additional one is an error of types. */
type Translated<Given> = Given extends string
  ? string
  : Given extends (...values: infer Values) => string
    ? (...values: Values) => string
    : { readonly [Name in keyof Given]: Translated<Given[Name]> };

/** Texts of a page or part by language. */
export interface Texts<Group> {
  readonly en: Group;
  readonly zh: Group;
}

/** Returns the texts of a page or part in both languages. */
export function textsOf<const English extends TextGroup>(
  en: English,
  zh: Translated<NoInfer<English>>,
): Texts<Translated<English>>;
export function textsOf<Group>(en: Group, zh: Group): Texts<Group> {
  return { en, zh };
}
