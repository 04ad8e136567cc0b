import * as peer from '@openai/agents-core';
import { expect, test } from 'vitest';
import { Agent } from '../../actors/agent.ts';
import { RunAgentUpdatedStreamEvent, RunItemStreamEvent, RunRawModelStreamEvent } from '../../actors/events.ts';
import { RunMessageOutputItem } from '../../actors/items.ts';
import { assistant } from '../../actors/message.ts';

const agent = new Agent({ name: 'A' });

test('I1: events have the peer\'s types and fields', () => {
  const delta = { type: 'output_text_delta', delta: 'hi' } as const;
  const item = new RunMessageOutputItem(assistant('hi'), agent);
  const ours = [
    new RunRawModelStreamEvent(delta),
    new RunRawModelStreamEvent(delta, 'openai-responses'),
    new RunItemStreamEvent('message_output_created', item),
    new RunAgentUpdatedStreamEvent(agent),
  ];
  const peerAgent = new peer.Agent({ name: 'A' });
  const peerItem = new peer.RunMessageOutputItem(assistant('hi') as never, peerAgent); // `as never`: zod-inferred, differs in optionality only.
  const theirs = [
    new peer.RunRawModelStreamEvent(delta),
    new peer.RunRawModelStreamEvent(delta, 'openai-responses'),
    new peer.RunItemStreamEvent('message_output_created', peerItem),
    new peer.RunAgentUpdatedStreamEvent(peerAgent),
  ];
  const shapeOf = (event: object) => JSON.parse(JSON.stringify({ ...event, agent: undefined }));
  expect(ours.map(shapeOf)).toEqual(theirs.map(shapeOf));
  expect(ours.map(({ type }) => type)).toEqual([
    'raw_model_stream_event', 'raw_model_stream_event', 'run_item_stream_event', 'agent_updated_stream_event',
  ]);
});

test('events carry what they were given, not a copy', () => {
  const item = new RunMessageOutputItem(assistant('hi'), agent);
  expect(new RunItemStreamEvent('message_output_created', item).item).toBe(item);
  expect(new RunAgentUpdatedStreamEvent(agent).agent).toBe(agent);
});
