/** On the prototype: names survive minification, are inherited, and do not show as a field of each error. */
export function named(errorClass: { prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}
