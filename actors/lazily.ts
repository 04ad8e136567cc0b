/** A module that is loaded when it is first needed: importing the front door stays quick. Once it is there, it is there at once. */
export function lazily<Module>(load: () => Promise<Module>): () => Module | Promise<Module> {
  let loaded: Module | undefined;
  return () => loaded ?? load().then((module) => (loaded = module));
}
