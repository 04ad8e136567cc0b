export { canonical, fingerprintOf } from '../machines/fingerprint.ts';
