import {
  OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME as PEER_VARIABLE, getDefaultModel as peerModel, getDefaultModelSettings as peerSettings,
  gpt5ReasoningSettingsRequired as peerRequired, isGpt5Default as peerIsGpt5Default,
} from '@openai/agents-core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME, getDefaultModel, getDefaultModelSettings, gpt5ReasoningSettingsRequired, isGpt5Default, isGpt5OrNewerDefault,
  isGpt5OrNewerReasoningModel,
} from '../../actors/defaultModel.ts';

const models = [
  'gpt-4.1', 'gpt-4o', 'o3', '', 'gpt-5', 'gpt-5-2025-08-07', 'gpt-5-mini', 'gpt-5-chat-latest', 'gpt-5.1', 'gpt-5.1-chat-latest', 'gpt-5.2', 'gpt-5.2-pro', 'gpt-5.2-codex',
  'gpt-5.2-chat-latest', 'gpt-5.3-codex', 'gpt-5.3-chat-latest', 'gpt-5.4', 'gpt-5.4-pro', 'gpt-5.4-mini', 'gpt-5.4-nano-2026-01-01', 'gpt-5.4-chat-latest', 'gpt-5.5', 'gpt-5.6',
  'gpt-5.6-2026-01-01', 'gpt-5.6-sol', 'gpt-5.6-terra', 'gpt-5.6-luna', 'gpt-6', 'gpt-6-astra', 'gpt-10', 'gpt-50x', 'llama-5',
];

afterEach(() => { delete process.env[OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME]; });

describe('the default model', () => {
  test('is the peer\'s, and the environment\'s where it names one', () => {
    expect(OPENAI_DEFAULT_MODEL_ENV_VARIABLE_NAME).toBe(PEER_VARIABLE);
    expect(getDefaultModel()).toBe(peerModel());
    process.env[PEER_VARIABLE] = 'GPT-4.1';
    expect(getDefaultModel()).toBe('gpt-4.1');
    expect([isGpt5Default(), isGpt5OrNewerDefault(), peerIsGpt5Default()]).toEqual([false, false, false]);
  });

  test('A9: and its settings follow from the environment too', () => {
    process.env[PEER_VARIABLE] = 'gpt-5.2-pro';
    expect(getDefaultModelSettings()).toEqual({ reasoning: { effort: 'medium' }, text: { verbosity: 'low' } });
  });
});

test.each(models)('settings and families are the peer\'s for "%s"', (model) => {
  expect(getDefaultModelSettings(model)).toEqual(peerSettings(model));
  expect(gpt5ReasoningSettingsRequired(model)).toBe(peerRequired(model));
});

test('GPT-5 and what came after is one family, chat aliases apart', () => {
  expect(['gpt-5', 'gpt-6-astra', 'gpt-5.6-luna', 'gpt-4.1', 'gpt-5-chat-latest', 'gpt-50x'].map(isGpt5OrNewerReasoningModel)).toEqual([true, true, true, false, false, false]);
});
