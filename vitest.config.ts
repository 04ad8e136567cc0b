import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Charts, drawings and scenarios change nothing outside of themselves: those of a worker share the modules that it has loaded. */
const TOGETHER = ['test/{machines,scenarios,visualizations}/**/*.test.ts'];
/** What has a script of its own and is left out of `npm test`. */
const LONG = [
  'test/{crash,simulation,kills,leaks,load,bench,machines/composed}/**/*.test.ts',
  'test/adapters/{cli/journal,server/processes,journals/{processes,postgres,postgresConnections}}.test.ts',
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^loopchart$/, replacement: source('./index.ts') },
      { find: 'loopchart/machines', replacement: source('./machines/index.ts') },
      { find: 'loopchart/protocol', replacement: source('./machines/protocol/schemas.ts') },
      { find: 'loopchart/testing', replacement: source('./adapters/scripted/index.ts') },
      { find: 'loopchart/openai', replacement: source('./adapters/openai/index.ts') },
      { find: 'loopchart/inspector', replacement: source('./adapters/inspector/index.ts') },
      { find: 'loopchart/file', replacement: source('./adapters/journals/file.ts') },
      { find: 'loopchart/sqlite', replacement: source('./adapters/journals/sqlite.ts') },
      { find: 'loopchart/postgres', replacement: source('./adapters/journals/postgres.ts') },
      { find: 'loopchart/server', replacement: source('./adapters/server/index.ts') },
      { find: 'loopchart/thread', replacement: source('./actors/thread/index.ts') },
      { find: 'loopchart/view', replacement: source('./actors/view/index.ts') },
      { find: 'loopchart/visualizations', replacement: source('./visualizations/index.ts') },
    ],
  },
  test: {
    projects: [
      { extends: true, test: { name: 'together', include: TOGETHER, exclude: LONG, isolate: false } },
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: [...TOGETHER, ...LONG] } },
      { extends: true, test: { name: 'long', include: LONG } },
    ],
    testTimeout: 60_000, // real processes on a machine that is busy; only what hangs ever waits so long
    maxWorkers: 2, // the smallest machine that this is built on has two cores; one worker would leave the other idle
    setupFiles: ['test/support/noNetwork.ts'],
  },
});
