import * as peer from '@openai/agents-openai';
import { expect, test } from 'vitest';
import { codeInterpreterTool, fileSearchTool, imageGenerationTool, webSearchTool } from '../../../adapters/openai/index.ts';

test('webSearchTool makes what the peer makes', () => {
  const options = {
    userLocation: { type: 'approximate' as const, city: 'Ulm' }, filters: { allowedDomains: ['a.example'] }, searchContextSize: 'high' as const, externalWebAccess: false,
    searchContentTypes: ['image' as const], imageSettings: { maxResults: 2, caption: true }, name: 'web_search_preview',
  };
  expect(webSearchTool()).toEqual(peer.webSearchTool());
  expect(webSearchTool(options)).toEqual(peer.webSearchTool(options));
  expect(webSearchTool({ filters: { allowedDomains: null } })).toEqual(peer.webSearchTool({ filters: { allowedDomains: null } }));
});

test('fileSearchTool makes what the peer makes', () => {
  const options = { name: 'docs', maxNumResults: 1, includeSearchResults: true, rankingOptions: { ranker: 'auto' as const }, filters: { type: 'eq' as const, key: 'k', value: 1 } };
  expect(fileSearchTool('v')).toEqual(peer.fileSearchTool('v'));
  expect(fileSearchTool(['v', 'w'], options)).toEqual(peer.fileSearchTool(['v', 'w'], options));
});

test('codeInterpreterTool makes what the peer makes', () => {
  const options = { container: 'c', includeOutputs: true, name: 'python' };
  expect(codeInterpreterTool()).toEqual(peer.codeInterpreterTool());
  expect(codeInterpreterTool(options)).toEqual(peer.codeInterpreterTool(options));
});

test('imageGenerationTool makes what the peer makes', () => {
  const options = {
    action: 'edit' as const, background: 'auto', inputFidelity: null, inputImageMask: { image_url: 'https://x.example' }, model: 'gpt-image-1', moderation: 'low', outputCompression: 0,
    outputFormat: 'png', partialImages: 1, quality: 'low', size: 'auto', name: 'draw',
  };
  expect(imageGenerationTool()).toEqual(peer.imageGenerationTool());
  expect(imageGenerationTool(options)).toEqual(peer.imageGenerationTool(options));
});
