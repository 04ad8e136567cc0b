/** What a nested run takes over from the run around it. */
import type { Model, ModelSettings } from './ports.ts';
import type { RunConfig } from './runOptions.ts';

/** Policies that hold for everything a run does; guardrails, filters and names are the outer run's own. */
const INHERITED = ['modelProvider', 'model', 'modelSettings', 'toolExecution', 'toolNotFoundBehavior', 'toolNameCollisionPolicy', 'tracing', 'approvalPolicy', 'approvalExpiresAfterMs'] as const;
/** How an app reaches its provider; goes with the client of a Model object and must not leak to another. */
const TRANSPORT = ['extra_headers', 'extraHeaders', 'extra_query', 'extraQuery', 'extra_body', 'extraBody'];

/**
 * The configuration of a nested run: its own, and what it leaves open from the parent's. A provider of its own brings its own
 * models, so the parent's model and settings are then left behind. `toolChoice` and `parallelToolCalls` never pass: they were
 * meant for the parent's tools.
 *
 * @param model What the nested agent runs on, if it says so itself.
 */
export function nestedRunConfig(parent: Partial<RunConfig> | undefined, own: Partial<RunConfig> = {}, model?: string | Model): Partial<RunConfig> {
  if (parent === undefined) return own;
  const hasOwnProvider = own.modelProvider !== undefined;
  const given = parent as Record<string, unknown>; // Read by names from a list.
  const inherited: Record<string, unknown> = {};
  for (const key of INHERITED) {
    const isLeftBehind = hasOwnProvider && (key === 'model' || key === 'modelSettings');
    if (!isLeftBehind && given[key] !== undefined) inherited[key] = given[key];
  }
  const explicitModel = own.model ?? model;
  const { modelSettings } = inherited as Partial<RunConfig>; // Copied from a field of this type.
  if (modelSettings === undefined) return { ...inherited, ...own };
  const passed = passedSettings(modelSettings, typeof explicitModel === 'object');
  return { ...inherited, ...own, modelSettings: own.modelSettings ? mergeSettings(passed, own.modelSettings) : passed };
}

function passedSettings(settings: ModelSettings, hasModelObject: boolean): ModelSettings {
  const { toolChoice: _toolChoice, parallelToolCalls: _parallelToolCalls, providerData, ...rest } = settings;
  if (providerData === undefined) return rest;
  const passed = hasModelObject ? Object.fromEntries(Object.entries(providerData).filter(([key]) => !TRANSPORT.includes(key))) : providerData;
  return { ...rest, providerData: passed };
}

function mergeSettings(inherited: ModelSettings, own: ModelSettings): ModelSettings {
  const providerData = inherited.providerData && own.providerData ? { providerData: { ...inherited.providerData, ...own.providerData } } : {};
  return { ...inherited, ...own, ...providerData };
}
