export { anchorOf } from './anchorOf.js';
export { createSeam } from './createSeam.js';
export { untilDecided } from './untilDecided.js';
export type { Seam, SeamOptions, SeamReport, SeamStep } from './types.js';
