/** What must be there before anything is deployed: credentials and one account. */

import { z } from 'zod';
import { CommandError } from '../terminal.ts';
import type { Wrangler } from './wrangler.ts';

/** How to be let in; the permissions are those that the commands of a deployment use. */
const HOW_TO_LOG_IN =
  'run "npx wrangler login", or set CLOUDFLARE_API_TOKEN to a token with the permissions Workers Scripts: Edit, ' +
  'Workers R2 Storage: Edit, Account Settings: Read (and Workers Routes: Edit, Zone: Read for --domain)';
const ACCOUNT_ID = /^[0-9a-f]{32}$/;

const whoamiSchema = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});

/** The account to deploy to: the one that is named, or the only one of the credentials. */
export async function findAccount(wrangler: Wrangler, named: string | undefined): Promise<string> {
  if (named !== undefined && !ACCOUNT_ID.test(named)) {
    throw new CommandError(
      'CLOUDFLARE_ACCOUNT_ID is no account id: 32 hexadecimal digits, shown in the dashboard',
    );
  }
  const accounts = await accountsOf(wrangler);
  const fitting = accounts.filter(({ id }) => named === undefined || id === named);
  const [only, ...more] = fitting;
  if (only === undefined) {
    throw new CommandError(
      named === undefined
        ? `these credentials reach no account: ${HOW_TO_LOG_IN}`
        : `these credentials do not reach the account ${named} of CLOUDFLARE_ACCOUNT_ID`,
    );
  }
  if (more.length > 0) {
    const list = fitting.map(({ id, name }) => `  ${id}  ${name}`).join('\n');
    throw new CommandError(`set CLOUDFLARE_ACCOUNT_ID to one of these accounts:\n${list}`);
  }
  return only.id;
}

async function accountsOf(
  wrangler: Wrangler,
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const answer = await wrangler(['whoami', '--json']);
  const whoami = whoamiSchema.safeParse(parseJson(answer.stdout));
  if (!answer.ok || !whoami.success || !whoami.data.loggedIn) {
    throw new CommandError(`Cloudflare does not know who is asking: ${HOW_TO_LOG_IN}`);
  }
  return whoami.data.accounts;
}

/** JSON that may have lines of text before it. */
export function parseJson(text: string): unknown {
  const start = text.search(/^[[{]/m);
  try {
    return start === -1 ? undefined : JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
}
