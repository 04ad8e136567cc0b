export { checksum } from '../machines/checksum.ts';
