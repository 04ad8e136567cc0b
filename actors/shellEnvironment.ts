/** Where a shell tool runs: on this machine, or in a container of the provider. */
import { UserError } from './errors.ts';

export type ShellToolLocalSkill = { description: string; name: string; path: string };
export type ShellToolSkillReference = { type: 'skill_reference'; skillId: string; version?: string };
export type ShellToolInlineSkillSource = { data: string; mediaType: 'application/zip'; type: 'base64' };
export type ShellToolInlineSkill = { description: string; name: string; source: ShellToolInlineSkillSource; type: 'inline' };
export type ShellToolContainerSkill = ShellToolSkillReference | ShellToolInlineSkill;
export type ShellToolContainerNetworkPolicyDomainSecret = { domain: string; name: string; value: string };
export type ShellToolContainerNetworkPolicyAllowlist = {
  allowedDomains: string[];
  domainSecrets?: ShellToolContainerNetworkPolicyDomainSecret[];
  type: 'allowlist';
};
export type ShellToolContainerNetworkPolicyDisabled = { type: 'disabled' };
export type ShellToolContainerNetworkPolicy = ShellToolContainerNetworkPolicyAllowlist | ShellToolContainerNetworkPolicyDisabled;
export type ShellToolLocalEnvironment = { type: 'local'; skills?: ShellToolLocalSkill[] };
export type ShellToolContainerAutoEnvironment = {
  type: 'container_auto';
  fileIds?: string[];
  memoryLimit?: '1g' | '4g' | '16g' | '64g' | null;
  networkPolicy?: ShellToolContainerNetworkPolicy;
  skills?: ShellToolContainerSkill[];
};
export type ShellToolContainerReferenceEnvironment = { type: 'container_reference'; containerId: string };
export type ShellToolHostedEnvironment = ShellToolContainerAutoEnvironment | ShellToolContainerReferenceEnvironment;
export type ShellToolEnvironment = ShellToolLocalEnvironment | ShellToolHostedEnvironment;

/**
 * Checks an environment and copies what is known of it; without one, the shell is local.
 * @throws UserError for a container without an id, or a skill that names no source.
 */
export function toShellEnvironment(environment: ShellToolEnvironment | undefined): ShellToolEnvironment {
  if (environment === undefined || environment.type === 'local') return environment ?? { type: 'local' };
  if (environment.type === 'container_reference') {
    if (!environment.containerId) throw new UserError('A shellTool in a container_reference needs the containerId.');
    return { type: 'container_reference', containerId: environment.containerId };
  }
  return {
    type: 'container_auto',
    fileIds: environment.fileIds,
    memoryLimit: environment.memoryLimit,
    networkPolicy: toNetworkPolicy(environment.networkPolicy),
    skills: environment.skills?.map(toSkill),
  };
}

function toNetworkPolicy(policy: ShellToolContainerNetworkPolicy | undefined): ShellToolContainerNetworkPolicy | undefined {
  if (policy === undefined || policy.type === 'disabled') return policy;
  return { type: 'allowlist', allowedDomains: policy.allowedDomains, domainSecrets: policy.domainSecrets };
}

function toSkill(skill: ShellToolContainerSkill): ShellToolContainerSkill {
  if (skill.type === 'skill_reference') {
    if (!skill.skillId) throw new UserError('A skill_reference of a shellTool needs a skillId.');
    return skill;
  }
  if (skill.source?.mediaType !== 'application/zip') {
    throw new UserError(`The inline skill '${skill.name}' of a shellTool needs a source with mediaType application/zip.`);
  }
  const { data, mediaType } = skill.source;
  return { type: 'inline', name: skill.name, description: skill.description, source: { type: 'base64', data, mediaType } };
}
