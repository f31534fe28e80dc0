/**
 * The table of faults at their real durations: what viewers wait for, what is lost, when all is well again.
 * `npm run bench:faults [-- scenario …]`
 */

import { runScenario, SCENARIOS, type Outcome, type Scenario } from '../test/faults/scenarios.ts';
import { print, printMachine } from './report.ts';

const wanted = process.argv.slice(2);
const chosen = SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0) {
  print(`there are: ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
printMachine('faults');
print(
  '| fault | seconds of it | interruption, s | objects announced | lost | time to normal, s | discontinuities |',
);
print('| --- | --- | --- | --- | --- | --- | --- |');
for (const scenario of chosen) {
  try {
    report(scenario, await runScenario(scenario, 'real'));
  } catch (error) {
    process.exitCode = 1;
    print(`| ${scenario.title} | ${String(error)} ${String(error instanceof Error ? error.cause : '')} |`);
  }
}

function report({ title, seconds }: Scenario, outcome: Outcome): void {
  const { interruption, announced, lost, timeToNormal, discontinuities, dropped, skipped } = outcome;
  print(
    `| ${title} | ${seconds.real} | ${interruption.toFixed(1)} | ${announced} | ${lost.length} | ${timeToNormal.toFixed(1)} | ${discontinuities} |`,
  );
  if (lost.length + dropped + skipped > 0) {
    print(
      `  ${dropped} given up by the origin, ${skipped} segments never named: ${lost.slice(0, 5).join(', ')}`,
    );
  }
}
