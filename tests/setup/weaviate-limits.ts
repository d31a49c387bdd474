/** Time limits of a client of Weaviate in tests: it declares a server lost that does not answer a check in the two seconds of the product, as on a busy machine. */
export const PATIENT_SECONDS = { connect: 30, query: 60, insert: 120 };
