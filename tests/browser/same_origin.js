'use strict';

const text = async (url, options) => (await fetch(url, options)).text();

async function main() {
  await check('a compressed body is what was sent', async () => {
    const response = await fetch('/long-text');
    expectEqual(['gzip', 'br', 'zstd'].includes(response.headers.get('content-encoding')), true);
    expectEqual(await response.text(), 'all work and no play\n'.repeat(1000));
  });

  await check('the pieces of a compressed stream come as they are sent', async () => {
    const reader = (await fetch('/stream')).body.pipeThrough(new TextDecoderStream()).getReader();
    expectEqual((await reader.read()).value, 'first ');
    await fetch('/release', {method: 'POST'});
    let rest = '';
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) rest += piece.value;
    expectEqual(rest, 'second');
  });

  await check('events have names, ids and lines, and go on after a cut', async () => {
    const seen = [];
    const events = new EventSource('/events');
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`no more events than ${JSON.stringify(seen)}`)), 10000);
      events.onmessage = (event) => { seen.push(event.data); };
      events.addEventListener('tick', (event) => {
        seen.push(`${event.data} ${event.lastEventId}`);
        if (seen.length === 3) resolve();
      });
    });
    events.close();
    expectEqual(seen.join('|'), 'two\nlines|first 7|after 7 8');
  });

  await check('cookies are kept, hidden, scoped and forgotten as they say', async () => {
    await fetch('/cookies', {method: 'POST'});
    expectEqual(document.cookie, 'seen=1');
    expectEqual(await text('/cookies'), 'seen hidden');
    expectEqual(await text('/cookies/beneath'), 'seen hidden beneath');
    await fetch('/cookies', {method: 'DELETE'});
    expectEqual(await text('/cookies'), 'hidden');
  });

  await check('a session goes from request to request', async () => {
    for (const count of ['1', '2', '3']) expectEqual(await text('/session', {method: 'POST'}), count);
  });

  await check('a form with a file arrives as the browser sends it', async () => {
    const form = new FormData();
    form.append('title', 'Grüße "und" mehr');
    form.append('file', new File([new Uint8Array(300000).fill(7)], 'Bild "1"; ä.png', {type: 'image/png'}));
    expectEqual(await text('/form', {method: 'POST', body: form}),
                'Grüße "und" mehr|Bild %221%22; ä.png|image/png|300000|2100000');
  });

  await check('a form of pairs arrives as the browser sends it', async () => {
    expectEqual(await text('/pairs', {method: 'POST', body: new URLSearchParams({a: '1 & ü', b: '%2F+'})}),
                '1 & ü|%2F+');
  });

  await check('paths and queries arrive as the browser encodes them', async () => {
    expectEqual(await text('/hello/Jörg Müller?from=ä b&to=%2F'), 'Jörg Müller|ä b|/');
  });

  await check('what the browser has is not sent again', async () => {
    const first = await text('/known');
    const again = await fetch('/known', {cache: 'no-cache'});
    expectEqual(again.status, 200);
    expectEqual(await again.text(), first);
    expectEqual(await text('/known/count', {cache: 'no-store'}), '1');
  });

  await check('redirects are followed', async () => {
    const moved = await fetch('/old', {method: 'POST', body: 'x'});
    expectEqual(moved.redirected, true);
    expectEqual(await moved.text(), 'GET /new');
    const kept = await fetch('/old-kept', {method: 'POST', body: 'x'});
    expectEqual(await kept.text(), 'POST /new');
  });

  await check('a part of a file is a part', async () => {
    const whole = await text('/file');
    for (const cache of ['no-store', 'default']) {
      const response = await fetch('/file', {cache, headers: {range: 'bytes=3-12'}});
      expectEqual(response.status, 206);
      expectEqual(await response.text(), whole.slice(3, 13));
    }
  });

  await check('an error is a page to who wants one', async () => {
    const page = await fetch('/throws', {headers: {accept: 'text/html'}});
    expectEqual(page.status, 500);
    expectEqual(page.headers.get('content-type'), 'text/html; charset=utf-8');
    const problem = await fetch('/throws', {headers: {accept: 'application/json'}});
    expectEqual((await problem.json()).status, 500);
  });

  await check('a text is not run as a script', async () => {
    const script = document.createElement('script');
    script.src = '/text';
    const ran = await new Promise((resolve) => {
      script.onload = () => resolve(true);
      script.onerror = () => resolve(false);
      document.head.append(script);
    });
    expectEqual(ran, false);
  });

  await check('a page of ours is in no frame', async () => {
    const frame = document.createElement('iframe');
    frame.src = '/framed';
    await new Promise((resolve) => { frame.onload = resolve; document.body.append(frame); });
    expectEqual(frame.contentDocument, null);
  });

  await check('a script in the page is not run', async () => { expectEqual(window.inlineRan, undefined); });

  await tell();
}

main();
