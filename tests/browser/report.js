// Collects what a page finds, and tells the test.
'use strict';

const findings = [];

/** Runs `check`, which returns or throws; an expectation that fails throws. */
async function check(name, check) {
  try {
    await check();
    findings.push([name, 'ok']);
  } catch (error) {
    findings.push([name, String(error)]);
  }
}

function expectEqual(seen, wanted) {
  if (seen !== wanted) throw new Error(`${JSON.stringify(seen)} is not ${JSON.stringify(wanted)}`);
}

async function expectRefused(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return;
  }
  throw new Error(`the browser let the page read the answer, ${answer.status}`);
}

async function tell() {
  await fetch('/result', {method: 'POST', body: findings.map(([name, outcome]) => `${name}: ${outcome}\n`).join('')});
}

window.onerror = (message) => { findings.push(['the page', message]); tell(); };
