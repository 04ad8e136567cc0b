import { hostedMcpTool as peerHostedMcpTool } from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { UserError } from '../../actors/errors.ts';
import { attachClientToolSearchExecutor, getClientToolSearchExecutor, getToolSearchRuntimeToolKey, hostedMcpTool, isHostedMcpTool, type HostedTool } from '../../actors/hostedTools.ts';
import { tool, toolNamespace } from '../../actors/tool.ts';

const onApproval = async () => ({ approve: true });
type Options = Parameters<typeof hostedMcpTool>[0];

describe('hostedMcpTool', () => {
  const server = { serverLabel: 'docs', serverUrl: 'https://example.com/mcp' };
  const options: [string, Options][] = [
    ['a server', server],
    ['everything', { ...server, authorization: 'token', headers: { a: 'b' }, allowedTools: ['x'], allowedCallers: ['direct', 'programmatic'], deferLoading: true, serverDescription: 'about' }],
    ['a connector', { serverLabel: 'mail', connectorId: 'connector_mail', authorization: 'token', allowedTools: { toolNames: ['x'] } }],
    ['an empty list of tools', { ...server, allowedTools: {} }],
    ['only a label', { serverLabel: 'docs', requireApproval: 'never' }],
    ['approval always', { ...server, requireApproval: 'always', onApproval }],
    ['approval by rule', { ...server, requireApproval: { always: { toolNames: ['pay'] }, never: { readOnly: true } } }],
    ['rules in the provider\'s spelling', { ...server, requireApproval: { never: { tool_names: ['read'], read_only: false } } } as never],
  ];
  test.each(options)('is sent as the peer sends it: %s', (_name, given) => {
    const made = hostedMcpTool(given);
    expect(made).toEqual(peerHostedMcpTool(given as never));
    expect(isHostedMcpTool(made)).toBe(true);
  });

  test.each<[string, unknown, string]>([
    ['is neither', 'sometimes', "'always', 'never' or {always, never}"],
    ['says nothing', {}, 'always or never'],
    ['has another key', { ask: {} }, '"ask"'],
    ['has a filter that is none', { always: true }, 'must be an object'],
    ['has an empty filter', { always: {} }, 'must have toolNames or readOnly'],
    ['has a filter with another key', { never: { names: [] } }, '"names"'],
    ['has names that are none', { never: { toolNames: [''] } }, 'list of names'],
    ['has a readOnly that is no boolean', { never: { readOnly: 'yes' } }, 'true or false'],
    ['names a tool on both sides', { always: { toolNames: ['a', 'b'] }, never: { toolNames: ['b'] } }, '"b" under both'],
  ])('refuses a rule that %s', (_name, requireApproval, message) => {
    const declare = () => hostedMcpTool({ ...server, requireApproval } as never);
    expect(declare).toThrow(UserError);
    expect(declare).toThrow(message);
    expect(() => peerHostedMcpTool({ ...server, requireApproval } as never)).toThrow();
  });
});

describe('client-side tool search', () => {
  const search: HostedTool = { type: 'hosted_tool', name: 'tool_search' };
  const executor = () => null;

  test('the executor is found on the tool and does not go out with a request', () => {
    expect(attachClientToolSearchExecutor(search, executor)).toBe(search);
    expect(getClientToolSearchExecutor(search)).toBe(executor);
    expect(Object.keys(search)).toEqual(['type', 'name']);
    expect(getClientToolSearchExecutor({ type: 'hosted_tool', name: 'other' })).toBeUndefined();
    expect(getClientToolSearchExecutor(tool({ name: 't', description: '', parameters: z.object({}), execute: () => '' }))).toBeUndefined();
  });

  test('a tool is named as search results name it', () => {
    const plain = tool({ name: 't', description: '', parameters: z.object({}), execute: () => '' });
    const [grouped] = toolNamespace({ name: 'crm', description: 'd', tools: [plain] as const });
    const keys = [plain, grouped, hostedMcpTool({ serverLabel: 'docs' }), search].map((candidate) => getToolSearchRuntimeToolKey(candidate));
    expect(keys).toEqual(['t', 'crm.t', 'mcp:docs', undefined]);
  });
});
