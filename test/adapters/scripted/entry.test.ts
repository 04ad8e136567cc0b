import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import * as entry from 'loopchart/testing';

const bundle = async () => build({
  entryPoints: [fileURLToPath(new URL('../../../adapters/scripted/index.ts', import.meta.url))],
  bundle: true, write: false, metafile: true, format: 'esm', platform: 'browser', logLevel: 'silent',
});

test('the entry bundles for a browser and pulls in no package', async () => {
  const { metafile, errors } = await bundle();
  expect(errors).toEqual([]);
  expect(Object.keys(metafile.inputs).filter((path) => path.includes('node_modules'))).toEqual([]);
});

test('the entry exports these names', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'ScriptError', 'ScriptedModelError', 'answered', 'answersWith', 'asked', 'calls', 'cuts', 'delays', 'empty', 'fails', 'faultyModel', 'faultyTool',
    'hangs', 'inputOf', 'journalContract', 'loop', 'modelContract', 'normalise', 'refuses', 'repeat', 'requestOf', 'responds', 'said', 'says', 'scriptedModel', 'system',
    'thinks', 'thought', 'user', 'virtualClock', 'withFaults',
  ]);
});
