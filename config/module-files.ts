import path from 'node:path';

/** Extension of the modules of this program that are named by their file: `.ts` in a checkout, `.js` in the npm package. */
export const MODULE_EXTENSION = path.extname(import.meta.filename);

/** True in the npm package, whose modules are JavaScript. */
export const IS_PACKAGE = MODULE_EXTENSION !== '.ts';
