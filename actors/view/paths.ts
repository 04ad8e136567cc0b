/** What the path of an actor tells. */

/** The outermost run: `thread_1/run.2/agent.1/turn.1` is part of `thread_1/run.2`. */
export function outerRunOf(path: string): string {
  const at = path.indexOf('/agent.');
  return at < 0 ? path : path.slice(0, at);
}

/** No run around it. */
export const isOuter = (path: string): boolean => !path.includes('/agent.');
/** Beside the runs of its thread, not one of them. */
export const isBackground = (path: string): boolean => /\/background\.\d+(\/|$)/.test(path);
/** How many agents are around it. */
export const depthOf = (path: string): number => path.split('/toolCall.').length - 1;
/** The call that is carried out by the nested run to which the path belongs; nothing for what belongs to the outer run. */
export const callAround = (path: string): string | undefined => path.match(/^(.*\/toolCall\.[^/]+)\/run(?:\/|$)/)?.[1];
/** Number of the turn of the outer run. */
export const outerTurnOf = (path: string): number | undefined => {
  const found = path.match(/\/turn\.(\d+)/)?.[1];
  return found === undefined ? undefined : Number(found);
};
export const isWithin = (path: string, outer: string): boolean => path === outer || path.startsWith(`${outer}/`);
