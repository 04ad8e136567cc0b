/** The built command, run as its users run it: conversations. One file, because all of it needs one build. */
import { afterAll, beforeAll } from 'vitest';
import { removeAgentFiles } from './support/agentFiles.ts';
import { build } from './support/build.ts';
import { endAll } from './support/commandLine.ts';
import { agentFiles } from './suites/agentFiles.ts';
import { pipes } from './suites/pipes.ts';
import { terminal } from './suites/terminal.ts';
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
