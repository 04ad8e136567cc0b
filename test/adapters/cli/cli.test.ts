/** The built command, run as its users run it. One file, because all of it needs one build. */
import { afterAll, beforeAll } from 'vitest';
import { removeAgentFiles } from './support/agentFiles.ts';
import { build } from './support/build.ts';
import { endAll } from './support/commandLine.ts';
import { agentFiles } from './suites/agentFiles.ts';
import { killed } from './suites/killed.ts';
import { pipes } from './suites/pipes.ts';
import { reading } from './suites/reading.ts';
import { recorded } from './suites/recorded.ts';
import { recordedInPostgres } from './suites/recordedInPostgres.ts';
import { recordedInTerminal } from './suites/recordedInTerminal.ts';
import { terminal } from './suites/terminal.ts';
import { threads } from './suites/threads.ts';
import { threadsInTerminal } from './suites/threadsInTerminal.ts';
import { trouble } from './suites/trouble.ts';

beforeAll(build, 120_000);
afterAll(endAll);
afterAll(removeAgentFiles);

pipes();
agentFiles();
trouble();
terminal();
threadsInTerminal();
threads();
recorded();
reading();
killed();
recordedInTerminal();
recordedInPostgres();
