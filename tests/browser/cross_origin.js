'use strict';

async function main() {
  const {allowed, refusing} = Object.fromEntries(new URLSearchParams(location.search));

  await check('an origin that is allowed may read', async () => {
    const response = await fetch(`${allowed}/thing`, {credentials: 'include'});
    expectEqual(await response.text(), 'thing');
    expectEqual(response.headers.get('x-shown'), 'yes');
    expectEqual(response.headers.get('x-not-shown'), null);
  });

  await check('an origin that is not allowed may not', () => expectRefused(fetch(`${refusing}/thing`)));

  await check('a request that is asked for first goes through', async () => {
    const response = await fetch(`${allowed}/thing`, {
      method: 'PUT', credentials: 'include', body: '{}', headers: {'content-type': 'application/json', 'x-wish': '1'}});
    expectEqual(await response.text(), 'put 1');
  });

  await check('a method that is not allowed does not',
              () => expectRefused(fetch(`${allowed}/thing`, {method: 'DELETE', credentials: 'include'})));

  await check('a header that is not allowed does not',
              () => expectRefused(fetch(`${allowed}/thing`, {credentials: 'include', headers: {'x-other': '1'}})));

  await check('an error may be read, too', async () => {
    const response = await fetch(`${allowed}/throws`, {credentials: 'include'});
    expectEqual(response.status, 500);
  });

  await check('nothing but what was allowed has reached the application', async () => {
    const response = await fetch(`${allowed}/log`, {credentials: 'include'});
    expectEqual(await response.text(), 'GET PUT ');
  });

  await tell();
}

main();
