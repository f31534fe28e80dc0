/** What applying policies would change, rule by rule. */

import { isDeepStrictEqual } from 'node:util';
import type { AccessPolicies, PolicyRule, StreamPolicy } from '#shared/access/policy.ts';

/** Lines that begin with `+`, `-` or `~` for what is added, removed or changed; none where nothing differs. */
export function diffPolicies(before: AccessPolicies, after: AccessPolicies): string[] {
  const names = [...new Set([...Object.keys(before.streams), ...Object.keys(after.streams)])].toSorted();
  return [
    ...diffPolicy('default', before.default, after.default),
    ...names.flatMap((name) => diffPolicy(`streams.${name}`, own(before, name), own(after, name))),
  ];
}

function own(policies: AccessPolicies, stream: string): StreamPolicy | undefined {
  return Object.hasOwn(policies.streams, stream) ? policies.streams[stream] : undefined;
}

function diffPolicy(
  name: string,
  before: StreamPolicy | undefined,
  after: StreamPolicy | undefined,
): string[] {
  if (before === undefined || after === undefined) {
    const policy = before ?? after;
    const sign = before === undefined ? '+' : '-';
    return policy === undefined
      ? []
      : [
          `${sign} ${name}: ${settings(policy)}`,
          ...policy.rules.map((rule) => `${sign} ${name} ${render(rule)}`),
        ];
  }
  return [
    ...(settings(before) === settings(after) ? [] : [`~ ${name}: ${settings(before)} → ${settings(after)}`]),
    ...diffRules(name, before.rules, after.rules),
  ];
}

/** The order of rules means nothing, so neither does a change of it. */
function diffRules(name: string, before: readonly PolicyRule[], after: readonly PolicyRule[]): string[] {
  const ids = [...new Set([...before, ...after].map(({ id }) => id))].toSorted();
  return ids.flatMap((id) => {
    const old = before.find((rule) => rule.id === id);
    const rule = after.find((each) => each.id === id);
    if (isDeepStrictEqual(plain(old), plain(rule))) {
      return [];
    }
    return [
      ...(old === undefined ? [] : [`- ${name} ${render(old)}`]),
      ...(rule === undefined ? [] : [`+ ${name} ${render(rule)}`]),
    ];
  });
}

function settings({ access, unknownLocation }: StreamPolicy): string {
  return unknownLocation === undefined ? access : `${access}, unknown location: ${unknownLocation}`;
}

function render({ id, effect, ...rest }: PolicyRule): string {
  return `${id}: ${effect} ${JSON.stringify(rest)}`;
}

/** As JSON has it, without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
