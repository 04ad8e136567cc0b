/**
 * How long importing the front door takes in a fresh process: the median of several. Part of `npm run bench`; needs `npm run build`.
 * Exits with 1 above the bound.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const MOST_MS = 60;
const TIMES = 11;
const entry = new URL('../../dist/index.js', import.meta.url);

if (!existsSync(entry)) throw new Error('There is no dist/index.js. Run: npm run build');
const script = `const began = performance.now(); await import(${JSON.stringify(entry.href)}); console.log(performance.now() - began);`;
const times = Array.from({ length: TIMES }, () => Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })));
const median = times.toSorted((a, b) => a - b)[(TIMES - 1) / 2]!;
console.error(`Importing the front door takes ${median.toFixed(1)} ms (median of ${TIMES} processes; at most ${MOST_MS} ms).`);
process.exitCode = median <= MOST_MS ? 0 : 1;
