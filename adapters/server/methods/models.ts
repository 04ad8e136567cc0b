/** Which models a client may name. */
import type { Reply } from '../connection.ts';
import { pageOf } from '../paging.ts';
import type { ParamsOf } from '../requestSchemas.ts';
import type { Threads } from '../threads.ts';

/** What the protocol wants to know of a model and nobody here knows, is answered with the least. */
export function listModels(threads: Threads, params: ParamsOf<'model/list'>): Reply {
  const models = threads.models.map((name, at) => ({
    id: name,
    model: name,
    displayName: name,
    description: '',
    hidden: false,
    isDefault: at === 0,
    supportedReasoningEfforts: [],
    defaultReasoningEffort: 'none',
    inputModalities: ['text', 'image'],
    supportsPersonality: false,
    upgrade: null,
    upgradeInfo: null,
    availabilityNux: null,
    modelSpecialty: null,
    multiAgentVersion: null,
    additionalSpeedTiers: [],
    serviceTiers: [],
    defaultServiceTier: null,
    availableAccessPrograms: null,
  }));
  return { result: pageOf(models, params) };
}
