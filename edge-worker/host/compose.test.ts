import { DCLinter } from 'dclint';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** What a YAML parser or the schema complains of; the linter's taste is its own. */
const BROKEN = /^invalid-/;
const resultsSchema = z
  .array(z.object({ messages: z.array(z.object({ rule: z.string(), message: z.string() })) }))
  .length(1);

test('docker-compose.yml keeps to the schema of the compose specification', () => {
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  const results = resultsSchema.parse(linter.lintFiles(['docker-compose.yml'], false));
  const complaints = results.flatMap(({ messages }) => messages);
  expect(complaints.filter(({ rule }) => BROKEN.test(rule))).toEqual([]);
});
