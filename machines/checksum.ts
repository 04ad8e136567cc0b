/** A short hash of a text: tells that it was changed by accident, and proves nothing to an enemy. Two mixing lanes of 32 bits. */
export function checksum(text: string): string {
  let one = 0x2545f491;
  let other = text.length ^ 0x9e3779b9;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul((other << 7) | (other >>> 25), 5) + unit;
  }
  one = Math.imul(one ^ (one >>> 15), 0x735a2d97);
  other = Math.imul(other ^ (other >>> 13), 0x1b873593);
  return ((one >>> 0) * 0x100000 + ((other ^ (other >>> 16)) & 0xfffff)).toString(36);
}
