import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^loopchart$/, replacement: source('./index.ts') },
      { find: 'loopchart/machines', replacement: source('./machines/index.ts') },
      { find: 'loopchart/protocol', replacement: source('./machines/protocol/schemas.ts') },
      { find: 'loopchart/testing', replacement: source('./adapters/scripted/index.ts') },
      { find: 'loopchart/openai', replacement: source('./adapters/openai/index.ts') },
      { find: 'loopchart/inspector', replacement: source('./adapters/inspector/index.ts') },
      { find: 'loopchart/visualizations', replacement: source('./visualizations/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    setupFiles: ['test/support/noNetwork.ts'],
  },
});
