/**
 * Random policies and places, a million unless a number is given: no decision throws, deny wins, order does not
 * matter, limits hold. `npm run fuzz:policies -- [CASES] [SEED]`
 */

import { checkRandomPolicy } from '../shared/access/testing/policy-properties.ts';
import { seededRandom } from '../shared/access/testing/random-policy.ts';
import { print, printMachine } from './report.ts';

const CASES = 1_000_000;

const cases = Number(process.argv[2] ?? CASES);
const seed = Number(process.argv[3] ?? Date.now() % 0x7fff_ffff);
printMachine(`Random policies: ${cases} cases of seed ${seed}`);
const random = seededRandom(seed);
const counts = { allow: 0, limited: 0, deny: 0 };
const began = performance.now();
for (let index = 0; index < cases; index += 1) {
  const decision = checkRandomPolicy(random);
  const isLimited = decision.kind === 'allow' && decision.maxHeight !== undefined;
  counts[isLimited ? 'limited' : decision.kind] += 1;
}
const seconds = (performance.now() - began) / 1_000;
print(`allowed ${counts.allow}, allowed with a limit ${counts.limited}, denied ${counts.deny}`);
print(`every property held; ${seconds.toFixed(0)} s`);
