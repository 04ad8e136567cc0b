/** The built command, run as its users run it: what it records, killed and gone on with. It takes its time: `npm run processes`. */
import { afterAll, beforeAll } from 'vitest';
import { removeAgentFiles } from './support/agentFiles.ts';
import { build } from './support/build.ts';
import { endAll } from './support/commandLine.ts';
import { killed } from './suites/killed.ts';
import { reading } from './suites/reading.ts';
import { recorded } from './suites/recorded.ts';
import { recordedInPostgres } from './suites/recordedInPostgres.ts';
import { recordedInTerminal } from './suites/recordedInTerminal.ts';
import { threads } from './suites/threads.ts';

beforeAll(build, 120_000);
afterAll(endAll);
afterAll(removeAgentFiles);

threads();
recorded();
reading();
killed();
recordedInTerminal();
recordedInPostgres();
