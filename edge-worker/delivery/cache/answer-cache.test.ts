import { describe, expect, it } from 'vitest';
import { AnswerCache, cacheKey } from './answer-cache.ts';
import { AnswerStore } from './answer-store.ts';
import { freshSeconds } from './freshness.ts';

const PLAYLIST = 'https://delivery.rill/live/show/360p/index.m3u8';

/** A cache in front of a source that answers when it is told to. */
function cacheBeforeSource(): {
  readonly ask: (url: string, method?: string) => Promise<Response>;
  readonly asked: string[];
  readonly answerNext: (response: Response | Error) => void;
  readonly pass: (milliseconds: number) => void;
} {
  let time = 0;
  const asked: string[] = [];
  const waiting: PromiseWithResolvers<Response>[] = [];
  const cache = new AnswerCache({
    store: new AnswerStore({ maxEntries: 100, maxBytes: 100_000, maxAnswerBytes: 1_000, maxIdleSeconds: 60 }),
    lifetime: (_key, { status, headers }) => freshSeconds(status, headers),
    now: () => time,
  });
  return {
    asked,
    ask: (url, method = 'GET') =>
      cache.answer(new Request(url, { method }), async (request) => {
        asked.push(cacheKey(request));
        const source = Promise.withResolvers<Response>();
        waiting.push(source);
        return source.promise;
      }),
    answerNext: (response) => {
      const source = waiting.shift();
      if (response instanceof Error) {
        source?.reject(response);
      } else {
        source?.resolve(response);
      }
    },
    pass: (milliseconds) => {
      time += milliseconds;
    },
  };
}

function answer(text: string, policy: string, status = 200): Response {
  return new Response(text, {
    status,
    headers: { 'cache-control': policy, 'content-length': String(text.length) },
  });
}

describe('collapsing', () => {
  it('sends one of many held reloads on and gives all of them its answer', async () => {
    const { ask, asked, answerNext } = cacheBeforeSource();
    const held = Array.from({ length: 200 }, () => ask(`${PLAYLIST}?_HLS_msn=4&_HLS_part=2`));
    answerNext(answer('playlist', 'max-age=12'));
    const answers = await Promise.all(held);
    expect(asked).toEqual(['/live/show/360p/index.m3u8?_HLS_msn=4&_HLS_part=2']);
    expect(await Promise.all(answers.map(async (one) => one.text()))).toEqual(
      Array.from({ length: 200 }, () => 'playlist'),
    );
    const how = answers.map((one) => one.headers.get('cache-status'));
    expect(how.filter((one) => one === 'rill; fwd=uri-miss; stored')).toHaveLength(1);
    expect(how.filter((one) => one === 'rill; fwd=uri-miss; collapsed')).toHaveLength(199);
  });

  it('keeps apart what differs in path, directives or their order', async () => {
    const { ask, asked, answerNext } = cacheBeforeSource();
    const urls = ['', '?_HLS_msn=4', '?_HLS_msn=5', '?_HLS_msn=4&_HLS_part=0', '?_HLS_part=0&_HLS_msn=4'];
    const answers = urls.map((query) => ask(PLAYLIST + query));
    for (const query of urls) {
      answerNext(answer(query, 'max-age=12'));
    }
    expect(await Promise.all(answers.map(async (one) => (await one).text()))).toEqual(urls);
    expect(asked).toHaveLength(urls.length);
  });

  it('shares a failure with those who waited for it and with nobody later', async () => {
    const { ask, asked, answerNext } = cacheBeforeSource();
    const waited = [ask(PLAYLIST), ask(PLAYLIST)];
    answerNext(answer('', 'no-store', 503));
    expect((await Promise.all(waited)).map(({ status }) => status)).toEqual([503, 503]);
    const later = ask(PLAYLIST);
    answerNext(answer('well again', 'max-age=1'));
    expect(await (await later).text()).toBe('well again');
    expect(asked).toHaveLength(2);
  });

  it('rejects all who waited when the source throws, and asks again afterwards', async () => {
    const { ask, answerNext } = cacheBeforeSource();
    const waited = Promise.allSettled([ask(PLAYLIST), ask(PLAYLIST)]);
    answerNext(new Error('gone'));
    expect((await waited).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const later = ask(PLAYLIST);
    answerNext(answer('back', 'max-age=1'));
    expect((await later).status).toBe(200);
  });

  it('passes on what is too large to share, once for each', async () => {
    const { ask, asked, answerNext } = cacheBeforeSource();
    const waited = [ask(PLAYLIST), ask(PLAYLIST)];
    answerNext(answer('x'.repeat(1_001), 'max-age=60'));
    expect(await (await waited[0])?.text()).toHaveLength(1_001);
    answerNext(answer('y'.repeat(1_001), 'max-age=60'));
    expect(await (await waited[1])?.text()).toHaveLength(1_001);
    expect(asked).toHaveLength(2);
  });
});

describe('keeping', () => {
  it('answers from memory with the age until the lifetime is over', async () => {
    const { ask, asked, answerNext, pass } = cacheBeforeSource();
    const first = ask(PLAYLIST);
    answerNext(answer('one', 'public, max-age=2'));
    await first;
    pass(1_500);
    const second = await ask(PLAYLIST);
    expect([second.headers.get('age'), second.headers.get('cache-status')]).toEqual(['1', 'rill; hit']);
    pass(500);
    const third = ask(PLAYLIST);
    answerNext(answer('two', 'max-age=0'));
    expect(await (await third).text()).toBe('two');
    expect(asked).toHaveLength(2);
  });

  it('keeps a refusal for a quarter of a second', async () => {
    const { ask, asked, answerNext, pass } = cacheBeforeSource();
    const first = ask(PLAYLIST);
    answerNext(answer('', 'public, max-age=1, stale-if-error=0', 404));
    expect((await first).status).toBe(404);
    pass(249);
    expect((await ask(PLAYLIST)).status).toBe(404);
    pass(1);
    const again = ask(PLAYLIST);
    answerNext(answer('there now', 'max-age=1'));
    expect((await again).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('passes on what is no GET', async () => {
    const { ask, asked, answerNext } = cacheBeforeSource();
    for (const method of ['HEAD', 'HEAD']) {
      const head = ask(PLAYLIST, method);
      answerNext(new Response(null, { headers: { 'cache-control': 'max-age=60' } }));
      await head;
    }
    expect(asked).toHaveLength(2);
  });
});
