/** What a conversation needs before its first word: agent, provider, and whether a person sits there. */
import type { Agent } from '../../actors/agent.ts';
import { Runner } from '../../actors/run.ts';
import { loadAgentFile } from './agentFile.ts';
import { answerOfStandIn, answerOfSupportDesk } from './demo/script.ts';
import { makeSupportDesk } from './demo/supportDesk.ts';
import type { PlayOptions } from './options.ts';
import { type Provider, openProvider } from './provider.ts';

type AnyAgent = Agent<any, any>; // `any`: a user's agent may have any context and output

export interface Stage { agent: AnyAgent; provider: Provider; runner: Runner; isTerminal: boolean }

const TOOL_PACE_MS = 600;

export function isTerminal({ json }: { json: boolean }): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb' && !json;
}

export async function agentOf(options: PlayOptions): Promise<AnyAgent> {
  return options.agentFile === undefined ? makeSupportDesk({ paceMs: isTerminal(options) ? TOOL_PACE_MS : 0 }) : loadAgentFile(options.agentFile);
}

/** Close its provider when the last word is said. */
export async function openStage(options: PlayOptions, agent: AnyAgent): Promise<Stage> {
  process.env.OPENAI_LOG ??= 'off'; // the client's own log would stand between the lines; its errors reach us anyway
  const isDemo = options.agentFile === undefined;
  const answer = isDemo ? answerOfSupportDesk : answerOfStandIn;
  const atHumanSpeed = isTerminal(options);
  const provider = await openProvider({ api: options.api, model: options.model, answer, atHumanSpeed, needsModel: isDemo }, process.env);
  const runner = new Runner({ modelProvider: provider.modelProvider, model: provider.defaultModel });
  return { agent, provider, runner, isTerminal: atHumanSpeed };
}
