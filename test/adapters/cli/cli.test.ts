/** The built command, run as its users run it. One file, because all of it needs one build. */
import { afterAll, beforeAll } from 'vitest';
import { removeAgentFiles } from './support/agentFiles.ts';
import { build } from './support/build.ts';
import { agentFiles } from './suites/agentFiles.ts';
import { pipes } from './suites/pipes.ts';
import { terminal } from './suites/terminal.ts';
import { trouble } from './suites/trouble.ts';

beforeAll(build, 120_000);
afterAll(removeAgentFiles);

pipes();
agentFiles();
trouble();
terminal();
