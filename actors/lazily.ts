const underWay = new Set<Promise<unknown>>();

/** Modules that are being loaded. Loading takes time of which no clock but the real one knows: whoever moves another waits for them first. */
export const loadsUnderWay: ReadonlySet<Promise<unknown>> = underWay;

/** A module that is loaded when it is first needed: importing the front door stays quick. Once it is there, it is there at once. */
export function lazily<Module>(load: () => Promise<Module>): () => Module | Promise<Module> {
  let loaded: Module | undefined;
  return () => loaded ?? noted(load().then((module) => (loaded = module)));
}

function noted<Value>(loading: Promise<Value>): Promise<Value> {
  const over = () => void underWay.delete(loading);
  underWay.add(loading);
  loading.then(over, over);
  return loading;
}
