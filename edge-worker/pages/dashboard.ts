/** The dashboard: the present by server-sent events, the past by reports, one session on demand. */

import {
  currentToken,
  forgetToken,
  keepToken,
  takeTokenFromAddress,
  tokenStream,
} from './dashboard/access.ts';
import { showAlerts } from './dashboard/alerts.ts';
import type { StreamNow } from '../qos/now/live-sessions.ts';
import { AskError, askReport, followNow } from './dashboard/ask.ts';
import { find, offer } from './dashboard/element.ts';
import { showEngineState } from './dashboard/engine-state.ts';
import { History, RANGES } from './dashboard/history.ts';
import { showNow } from './dashboard/now.ts';
import { closePicture, openPicture } from './dashboard/picture.ts';
import { showSession } from './dashboard/timeline.ts';

const DEFAULT_RANGE = '15m';
const DIMENSIONS = ['country', 'asn', 'country,asn', 'region', 'colo', 'rendition', 'player', 'device'];
const MORE_DIMENSIONS = ['browser', 'os', 'protocol', 'stream'];
/** Pause before the event stream is opened again, milliseconds. */
const RECONNECT_MS = 2_000;
const THEME_KEY = 'rill-theme';
const ALL = '';

const stream = find('stream', HTMLSelectElement);
const range = find('range', HTMLSelectElement);
const by = find('by', HTMLSelectElement);
const theme = find('theme', HTMLSelectElement);
let past: History | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
/** Number of the latest refresh: answers to those before it are no longer wanted. */
let refreshes = 0;
let known: readonly string[] = [];

start();

function start(): void {
  takeTokenFromAddress();
  const asked = new URLSearchParams(location.search);
  offer(stream, streamChoices(asked.get('stream') ?? ALL), asked.get('stream') ?? ALL);
  offer(
    range,
    Object.entries(RANGES).map(([value, { text }]) => [value, text]),
    asked.get('range') ?? DEFAULT_RANGE,
  );
  const dimensions = [...DIMENSIONS, ...MORE_DIMENSIONS];
  offer(
    by,
    dimensions.map((value) => [value, value.replace('asn', 'ASN').replace(',', ' and ')]),
    asked.get('by') ?? '',
  );
  for (const select of [stream, range, by]) {
    select.addEventListener('change', () => {
      keepState({ stream: stream.value, range: range.value, by: by.value });
      void refresh();
    });
  }
  followTheme();
  find('picture-stop', HTMLButtonElement).addEventListener('click', closePicture);
  find('session-close', HTMLButtonElement).addEventListener('click', closeSession);
  find('sign-in', HTMLFormElement).addEventListener('submit', signIn);
  document.addEventListener('visibilitychange', () => void (document.hidden ? undefined : refresh()));
  window.addEventListener('hashchange', () => {
    takeTokenFromAddress();
    open();
  });
  void watchNow();
  open();
}

/** Opens the figures where there is a token, else asks for one. */
function open(): void {
  const hasToken = currentToken() !== undefined;
  find('sign-in', HTMLFormElement).hidden = hasToken;
  find('main', HTMLElement).hidden = !hasToken;
  if (!hasToken) {
    showState('waiting', 'Signed out');
    find('token', HTMLInputElement).focus();
    return;
  }
  past ??= new History();
  offer(stream, streamChoices(stream.value));
  void refresh();
  const session = new URLSearchParams(location.search).get('session');
  if (session !== null) {
    void openSession(session);
  }
}

function signIn(event: SubmitEvent): void {
  event.preventDefault();
  const input = find('token', HTMLInputElement);
  keepToken(input.value);
  input.value = '';
  find('sign-in-message', HTMLElement).textContent = '';
  open();
}

function signOut(message: string): void {
  forgetToken();
  closePicture();
  find('sign-in-message', HTMLElement).textContent = `The edge refused this token: ${message}`;
  open();
}

/** Follows the present for as long as the page is open and seen: an edge serves a hundred readers at once. */
async function watchNow(): Promise<void> {
  for (;;) {
    if (currentToken() !== undefined && !document.hidden) {
      const leave = new AbortController();
      const onHidden = (): void => leave.abort();
      document.addEventListener('visibilitychange', onHidden, { once: true });
      try {
        await followNow(tokenStream(), takeNow, leave.signal);
      } catch (error) {
        if (!leave.signal.aborted) {
          handle(error);
        }
      }
      document.removeEventListener('visibilitychange', onHidden);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, RECONNECT_MS);
    });
  }
}

function takeNow(streams: readonly StreamNow[]): void {
  showState('live', 'Live');
  showNow(streams, {
    choose: (name) => {
      rememberStreams([name]);
      stream.value = name;
      stream.dispatchEvent(new Event('change'));
      find('history', HTMLElement).scrollIntoView({ block: 'start' });
    },
    picture: (name) => void openPicture(name),
  });
  rememberStreams(streams.map((one) => one.stream));
}

async function refresh(): Promise<void> {
  clearTimeout(timer);
  const mine = ++refreshes;
  const chosen = RANGES[range.value];
  if (currentToken() === undefined || past === undefined || chosen === undefined || document.hidden) {
    return;
  }
  const asked = { stream: stream.value === ALL ? undefined : stream.value, range: chosen, by: by.value };
  const isCurrent = (): boolean => mine === refreshes;
  try {
    await showEngineState();
    await past.refresh(asked, isCurrent, (session) => void openSession(session));
    find('trouble', HTMLElement).textContent = '';
    if (isCurrent() && tokenStream() === undefined) {
      await showAlerts();
    }
    if (isCurrent() && asked.stream === undefined) {
      const rows = await askReport('top', { from: `-${chosen.seconds}s`, by: 'stream' });
      rememberStreams(rows.map((row) => String(row['stream'])));
    }
  } catch (error) {
    handle(error);
  }
  if (isCurrent()) {
    timer = setTimeout(() => void refresh(), chosen.every);
  }
}

async function openSession(session: string): Promise<void> {
  try {
    await showSession(session, stream.value === ALL ? undefined : stream.value);
    keepState({ session });
    find('session', HTMLElement).focus();
  } catch (error) {
    handle(error);
  }
}

function closeSession(): void {
  find('session', HTMLElement).hidden = true;
  keepState({ session: '' });
  find('sessions', HTMLTableElement).querySelector('button')?.focus();
}

function handle(error: unknown): void {
  const message = error instanceof AskError ? error.message : 'The connection to the edge was interrupted.';
  if (error instanceof AskError && error.isRefused) {
    signOut(message);
    return;
  }
  showState('trouble', 'Trouble');
  find('trouble', HTMLElement).textContent = message;
}

function rememberStreams(names: readonly string[]): void {
  known = [...new Set([...known, ...names.filter((name) => name !== '')])].sort();
  offer(stream, streamChoices(stream.value));
}

function streamChoices(chosen: string): readonly (readonly [string, string])[] {
  const only = tokenStream();
  if (only !== undefined) {
    return [[only, only]];
  }
  const names = new Set([...known, ...(chosen === ALL ? [] : [chosen])]);
  return [[ALL, 'all streams'], ...[...names].sort().map((name) => [name, name] as const)];
}

/** The choices stand in the address, so that it may be shared; the token never does. */
function keepState(state: Readonly<Record<string, string>>): void {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(state)) {
    if (value === '') {
      parameters.delete(name);
    } else {
      parameters.set(name, value);
    }
  }
  const query = parameters.toString();
  history.replaceState(null, '', query === '' ? location.pathname : `${location.pathname}?${query}`);
}

function showState(state: 'waiting' | 'live' | 'trouble', text: string): void {
  const badge = find('state', HTMLElement);
  if (badge.textContent !== text) {
    badge.textContent = text;
    badge.dataset['state'] = state;
  }
}

function followTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme.value;
    past?.redraw();
  };
  theme.value = localStorage.getItem(THEME_KEY) ?? 'auto';
  theme.addEventListener('change', () => {
    localStorage.setItem(THEME_KEY, theme.value);
    apply();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  apply();
}
