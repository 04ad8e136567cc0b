import * as peer from '@openai/agents-core';
import { describe, expect, test } from 'vitest';
import {
  Agent, MemorySession, applySessionHistoryMutations, isOpenAIResponsesCompactionAwareSession, isOpenAIResponsesCompactionOwnershipAwareSession,
  isRunContextAwareSession, isSessionHistoryRewriteAwareSession, isSessionHistoryTransactionAwareSession, run, type AgentInputItem,
  type RunContext, type RunContextAwareSession, type Session,
} from 'loopchart';
import { says, scriptedModel } from 'loopchart/testing';

const able = Object.assign(new MemorySession(), {
  acceptsRunContext: true as const,
  runCompaction: () => null,
  getItemsWithCompactionOwnership: async () => ({ items: [], ownership: {} }),
  addItemsWithCompactionOwnership: async () => undefined,
  applyHistoryMutations: () => undefined,
  applyHistoryTransaction: () => undefined,
});

describe('what a session can do is found out', () => {
  for (const name of [
    'isRunContextAwareSession', 'isOpenAIResponsesCompactionAwareSession', 'isOpenAIResponsesCompactionOwnershipAwareSession',
    'isSessionHistoryRewriteAwareSession', 'isSessionHistoryTransactionAwareSession',
  ] as const) {
    test(`${name} says what it says in the Agents SDK`, () => {
      const ours = {
        isRunContextAwareSession, isOpenAIResponsesCompactionAwareSession, isOpenAIResponsesCompactionOwnershipAwareSession,
        isSessionHistoryRewriteAwareSession, isSessionHistoryTransactionAwareSession,
      };
      const asked: (Session | undefined)[] = [able, new MemorySession(), undefined, Object.assign(new MemorySession(), { runCompaction: 1, acceptsRunContext: 1 })];
      expect(asked.map((session) => ours[name](session))).toEqual([true, false, false, false]);
      expect(asked.map((session) => peer[name](session as peer.Session | undefined))).toEqual([true, false, false, false]);
    });
  }
});

test('a replaced call stands once, the items given stay as they are, and the Agents SDK agrees', () => {
  const call = (callId: string, args: string) => ({ type: 'function_call' as const, callId, name: 'add', status: 'completed' as const, arguments: args });
  const items: AgentInputItem[] = [call('c1', '{}'), { type: 'message', role: 'user', content: 'hm' }, call('c1', '[]'), call('c2', '{}')];
  const before = structuredClone(items);
  const mutations = [{ type: 'replace_function_call' as const, callId: 'c1', replacement: call('c1', '{"a":1}') }];
  expect(applySessionHistoryMutations(items, mutations)).toEqual([call('c1', '{"a":1}'), items[1], call('c2', '{}')]);
  expect(applySessionHistoryMutations(items, mutations)).toEqual(peer.applySessionHistoryMutations(items as peer.AgentInputItem[], mutations));
  expect(items).toEqual(before);
});

test('G1: a session that accepts the run context is given it when items are read and when they are saved', async () => {
  const seen: [string, unknown][] = [];
  class TenantSession extends MemorySession implements RunContextAwareSession {
    readonly acceptsRunContext = true;
    override async getItems(limit?: number, runContext?: RunContext<unknown>): Promise<AgentInputItem[]> {
      seen.push(['read', runContext?.context]);
      return super.getItems(limit);
    }
    override async addItems(items: AgentInputItem[], runContext?: RunContext<unknown>): Promise<void> {
      seen.push(['saved', runContext?.context]);
      return super.addItems(items);
    }
  }
  const session = new TenantSession();
  await run(new Agent({ name: 'A', model: scriptedModel(says('Hello.')) }), 'Hi', { session, context: { tenant: 7 } });
  expect(seen).toEqual([['read', { tenant: 7 }], ['saved', { tenant: 7 }]]);
  expect(await session.getItems()).toHaveLength(2);
});
