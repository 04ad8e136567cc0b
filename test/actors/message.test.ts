import * as peer from '@openai/agents-core';
import { expect, test } from 'vitest';
import { assistant, system, user } from '../../actors/message.ts';

test('messages are the peer\'s, from text and from parts, with and without options', () => {
  const image = [{ type: 'input_image', image: 'https://example.com/a.png' }] as const;
  const text = [{ type: 'output_text', text: 'y' }] as const;
  expect([user('x'), user([...image]), user('x', { a: 1 }), assistant('x'), assistant([...text], { a: 1 }), system('s'), system('s', { a: 1 })]).toEqual(
    [
      peer.user('x'), peer.user([...image]), peer.user('x', { a: 1 }), peer.assistant('x'), peer.assistant([...text], { a: 1 }),
      peer.system('s'), peer.system('s', { a: 1 }),
    ],
  );
});

test('without options a message has no provider data at all', () => {
  expect([user('x'), assistant('x'), system('x')].filter((message) => 'providerData' in message)).toEqual([]);
});
