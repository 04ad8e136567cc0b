/**
 * One process of a world: `child.ts <folder> <life> <seed> <runs that are over> [<letter> <n>]`. It writes a letter for each line of its
 * ledger to file descriptor 3. With a letter and a number it kills itself there: no other moment can be met so exactly.
 */
import { writeSync } from 'node:fs';
import { LETTERS } from './ledger.ts';
import { live } from './life.ts';
import { worldPlan } from './plan.ts';
import { journalIn } from './store.ts';
import { watched } from './watched.ts';
import { fileWorld } from './world.ts';

if (process.argv.length < 3) process.exit(); // only loaded

const [folder, life, seed, over, letter, nth] = process.argv.slice(2) as [string, string, string, string, string?, string?];
let left = Number(nth);

const plan = worldPlan(seed);
const world = fileWorld(folder, Number(life), seed, ({ what }) => {
  if (LETTERS[what] !== '') writeSync(3, LETTERS[what]);
  if (LETTERS[what] === letter && (left -= 1) === 0) process.kill(process.pid, 'SIGKILL');
});
const journal = watched(journalIn(folder, plan.store), world.ledger);
await live({ plan, world, journal, over: new Set(over.split(',')) });
journal.close();
