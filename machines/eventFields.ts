/** What guards and actions take from an event, named once so that charts stay readable. */
export const eventOf = <Event>({ event }: { event: Event }): Event => event;
export const outputOf = <Output>({ event }: { event: { output: Output } }): Output => event.output;
export const atOf = ({ event }: { event: { at: number } }): number => event.at;
export const actorIdOf = ({ event }: { event: { actorId: string } }): string => event.actorId;
