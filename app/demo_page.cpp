#include <atlas/app/demo_page.hpp>

namespace atlas::app {

const std::string_view demo_page = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Atlas</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='12' r='9' fill='%230f7a6c'/%3E%3Cpath d='M7 29c2-6 16-6 18 0' stroke='%230f7a6c' stroke-width='4' fill='none' stroke-linecap='round'/%3E%3C/svg%3E">
<style>
  :root {
    --ground: #f6f5f1; --card: #ffffff; --line: #e2e0d8; --ink: #1d2322; --soft: #68716f;
    --accent: #0f7a6c; --accent-soft: #0f7a6c22; --bad: #b3402a; --code: #f0efe9;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ground: #121716; --card: #1a2120; --line: #2c3634; --ink: #e6ebe9; --soft: #93a09d;
      --accent: #4cc2ae; --accent-soft: #4cc2ae26; --bad: #ef8a70; --code: #111615;
    }
  }
  * { box-sizing: border-box; }
  body {
    margin: 0; background: var(--ground); color: var(--ink);
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  }
  main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem; }
  header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding-top: 2.25rem; padding-bottom: 1.25rem; }
  h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em; }
  h2 { margin: 2.25rem 0 .75rem; font-size: 1.05rem; }
  header p { margin: 0; color: var(--soft); flex: 1 1 16rem; }
  #status { display: inline-flex; align-items: center; gap: .5rem; color: var(--soft); font-size: .9rem; font-variant-numeric: tabular-nums; }
  #status::before { content: ""; width: .6rem; height: .6rem; border-radius: 50%; background: var(--accent); box-shadow: 0 0 0 .25rem var(--accent-soft); }
  #status.away { color: var(--bad); }
  #status.away::before { background: var(--bad); box-shadow: none; }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
  .rate { display: grid; grid-template-columns: minmax(11rem, 1fr) 3fr; align-items: stretch; overflow: hidden; }
  .rate > div { padding: 1.1rem 1.25rem; }
  .label { display: block; color: var(--soft); font-size: .85rem; }
  .value { font-size: 1.6rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
  .rate .value { font-size: 2.9rem; line-height: 1.15; }
  .plot { position: relative; min-height: 9rem; }
  .plot svg { position: absolute; inset: 0; width: 100%; height: 100%; }
  .plot .area { fill: var(--accent-soft); }
  .plot .trace { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
  .plot span { position: absolute; left: .75rem; color: var(--soft); font-size: .75rem; font-variant-numeric: tabular-nums; }
  #peak { top: .5rem; }
  #span { bottom: .4rem; }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: .75rem 0 0; }
  .facts .card { padding: .8rem 1.1rem; }
  .facts dt, .facts dd { margin: 0; }
  .try { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: .75rem; }
  .list { padding: .35rem 0; }
  form { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .6rem; margin: 0; padding: .5rem 1.1rem; }
  form + form { border-top: 1px solid var(--line); }
  form p { flex: 1 1 11rem; margin: 0; color: var(--soft); font-size: .85rem; }
  form code { display: block; color: var(--ink); font-size: .95rem; }
  code, pre, input { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
  input { width: 6.5rem; padding: .3rem .5rem; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: .4rem; font-size: .85rem; }
  button { padding: .35rem .9rem; font: inherit; font-size: .9rem; color: var(--accent); background: none; border: 1px solid var(--accent); border-radius: .4rem; cursor: pointer; }
  button:hover { background: var(--accent-soft); }
  button:disabled { opacity: .5; cursor: default; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .answer { display: flex; flex-direction: column; min-height: 16rem; overflow: hidden; }
  .answer p { margin: 0; padding: .7rem 1.1rem; border-bottom: 1px solid var(--line); color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums; }
  pre { flex: 1 1 0; min-height: 12rem; margin: 0; padding: .9rem 1.1rem; overflow: auto; background: var(--code); font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  footer { padding-top: 1.5rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .85rem; }
  @media (max-width: 46rem) {
    .rate, .try { grid-template-columns: minmax(0, 1fr); }
    .plot { border-top: 1px solid var(--line); }
  }
</style>
</head>
<body>
<header>
  <h1>Atlas</h1>
  <p>is running. These are its live facts, read from <code>facts</code> each second.</p>
  <div id="status" role="status">connecting</div>
</header>
<main>
  <section class="card rate" aria-label="Requests per second">
    <div><span class="label">Requests per second</span><span class="value" id="rate">–</span></div>
    <div class="plot">
      <svg viewBox="0 0 600 100" preserveAspectRatio="none" role="img" aria-label="Requests per second over the last minute">
        <path class="area" id="area"></path><path class="trace" id="trace"></path>
      </svg>
      <span id="peak"></span><span id="span">last 60 s</span>
    </div>
  </section>
  <dl class="facts">
    <div class="card"><dt class="label">Requests</dt><dd class="value" data-fact="requests">–</dd></div>
    <div class="card"><dt class="label">Connections</dt><dd class="value" data-fact="connections_open">–</dd></div>
    <div class="card"><dt class="label">Fibers alive</dt><dd class="value" data-fact="fibers_alive">–</dd></div>
    <div class="card"><dt class="label">Workers</dt><dd class="value" data-fact="workers">–</dd></div>
    <div class="card"><dt class="label">Failures</dt><dd class="value" data-fact="application_failures">–</dd></div>
    <div class="card"><dt class="label">Stalls</dt><dd class="value" data-fact="stalls">–</dd></div>
    <div class="card"><dt class="label">Uptime</dt><dd class="value" id="uptime">–</dd></div>
  </dl>

  <h2>Try it</h2>
  <section class="try">
    <div class="card list">
      <form data-method="GET" data-path="plaintext"><p><code>GET /plaintext</code>thirteen bytes</p><button>Send</button></form>
      <form data-method="GET" data-path="json"><p><code>GET /json</code>an object, written anew each time</p><button>Send</button></form>
      <form data-method="GET" data-path="sleep"><p><code>GET /sleep?ms=</code>suspends a fiber, not a thread</p><input name="ms" value="500" inputmode="numeric" aria-label="milliseconds"><button>Send</button></form>
      <form data-method="GET" data-path="stream"><p><code>GET /stream?chunks=</code>as they are sent</p><input name="chunks" value="12" inputmode="numeric" aria-label="chunks"><input type="hidden" name="ms" value="150"><button>Send</button></form>
      <form data-method="POST" data-path="echo"><p><code>POST /echo</code>what you send comes back</p><input name="body" value="Hello!" aria-label="body"><button>Send</button></form>
      <form data-method="POST" data-path="upload" data-mebibytes="8"><p><code>POST /upload</code>counts 8 MiB</p><button>Send</button></form>
      <form data-burst="2000"><p><code>GET /plaintext × 2000</code>to make the line move</p><button>Send</button></form>
    </div>
    <div class="card answer">
      <p id="summary">Answers appear here.</p>
      <pre id="answer" tabindex="0" aria-label="Answer"></pre>
    </div>
  </section>
</main>
<footer>Atlas <span data-fact="version"></span> · these facts came over connection <span data-fact="connection_id">–</span>, worker <span data-fact="worker">–</span></footer>
<script>
"use strict";
const byId = (id) => document.getElementById(id);
const samples_max = 61;
const rates = [];
let last = null;

const whole = (number) => Math.round(number).toLocaleString("en");

function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const [d, h, m, s] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} m`;
  return m ? `${m} m ${s} s` : `${s} s`;
}

function plot() {
  const peak = Math.max(10, ...rates);
  const step = 600 / (samples_max - 1);
  const start = samples_max - rates.length;
  const points = rates.map((rate, i) => `${((start + i) * step).toFixed(1)},${(97 - 78 * rate / peak).toFixed(1)}`);
  if (points.length < 2) return;
  byId("trace").setAttribute("d", "M" + points.join("L"));
  byId("area").setAttribute("d", `M${points.join("L")}L600,100L${(start * step).toFixed(1)},100Z`);
  byId("peak").textContent = `peak ${whole(Math.max(...rates))}/s`;
}

function show(facts) {
  for (const place of document.querySelectorAll("[data-fact]")) {
    const value = facts[place.dataset.fact];
    place.textContent = typeof value === "number" ? whole(value) : value;
  }
  byId("uptime").textContent = duration(facts.uptime_ms);
  if (last && facts.uptime_ms > last.uptime_ms) {
    const rate = (facts.requests - last.requests) * 1000 / (facts.uptime_ms - last.uptime_ms);
    byId("rate").textContent = whole(rate);
    rates.push(rate);
    if (rates.length > samples_max) rates.shift();
    plot();
  }
  if (last && facts.uptime_ms < last.uptime_ms) rates.length = 0;
  last = facts;
}

async function refresh() {
  const status = byId("status");
  try {
    const response = await fetch("facts", {cache: "no-store"});
    if (!response.ok) throw new Error(response.status);
    show(await response.json());
    status.className = "";
    status.textContent = "live";
  } catch {
    status.className = "away";
    status.textContent = "no answer";
  }
  setTimeout(refresh, 1000);
}

function request(form) {
  const fields = new FormData(form);
  const {method, path, mebibytes} = form.dataset;
  if (mebibytes) return [path, {method, body: new Uint8Array(mebibytes * 1024 * 1024)}];
  if (method === "POST") return [path, {method, body: fields.get("body"), headers: {"content-type": "text/plain; charset=utf-8"}}];
  const query = new URLSearchParams(fields).toString();
  return [query ? `${path}?${query}` : path, {method, cache: "no-store"}];
}

async function send(form) {
  const [url, options] = request(form);
  const begun = performance.now();
  byId("summary").textContent = `${options.method} /${url} …`;
  byId("answer").textContent = "";
  const response = await fetch(url, options);
  const first = performance.now() - begun;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    byId("answer").textContent += piece.value;
  }
  const total = performance.now() - begun;
  byId("summary").textContent =
    `${options.method} /${url} → ${response.status}, first byte after ${first.toFixed(1)} ms, all after ${total.toFixed(1)} ms`;
}

async function burst(count) {
  const begun = performance.now();
  let left = count;
  byId("answer").textContent = "";
  byId("summary").textContent = `${count} requests …`;
  const client = async () => {
    while (left-- > 0) await (await fetch("plaintext", {cache: "no-store"})).text();
  };
  await Promise.all(Array.from({length: 6}, client));
  const seconds = (performance.now() - begun) / 1000;
  byId("summary").textContent = `${count} requests over 6 connections took ${seconds.toFixed(2)} s`;
  byId("answer").textContent = `${whole(count / seconds)} requests per second.\nMost of that time is the browser's: scripts/bench measures the server.`;
}

for (const form of document.forms) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await (form.dataset.burst ? burst(Number(form.dataset.burst)) : send(form));
    } catch (error) {
      byId("summary").textContent = `no answer: ${error.message}`;
    }
    button.disabled = false;
  });
}
refresh();
</script>
</body>
</html>
)html";

}  // namespace atlas::app
