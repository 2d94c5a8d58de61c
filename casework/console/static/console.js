// Keys for all that the pages do, and a cover when nobody is there. Without this file every page
// still works by pointer and Tab.
"use strict";

const byId = (id) => document.getElementById(id);
const typing = (node) => node.matches("input:not([type=radio], [type=checkbox]), textarea, select");

function choose(verdict) {
  const radio = document.querySelector(`#answer input[data-key="${verdict}"]`);
  if (!radio) return;
  radio.checked = true;
  radio.focus();
}

function step(by) {
  const rows = [...document.querySelectorAll("a.row")];
  if (!rows.length) return;
  const at = document.activeElement;
  const here = rows.findIndex((row) => row === at || row.closest("tr")?.contains(at));
  rows[Math.min(rows.length - 1, Math.max(0, here + by))].focus();
}

const keys = {
  "?": () => byId("keys").showModal(),
  n: () => byId("next")?.click(),
  h: () => location.assign("/"),
  d: () => byId("day")?.click(),
  "/": () => byId("find").focus(),
  j: () => step(1),
  k: () => step(-1),
  x: () => document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click(),
  v: () => byId("reveal")?.click(),
  a: () => choose("a"),
  r: () => choose("r"),
  e: () => choose("e"),
  c: () => document.querySelector('button[data-key="c"]')?.click(),
  u: () => document.querySelector('button[data-key="u"]')?.click(),
  s: () => document.querySelector('button[data-key="s"]')?.click(),
  w: () => byId("rationale")?.focus(),
  p: () => (document.querySelector("[data-step]") ?? byId("playbook"))?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (covered()) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.form ?? byId("answer");
    if (form?.id === "answer") form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// A page that a form has brought about is kept under its own address: reloading it, or coming back to
// it, sends nothing again.
const { address } = document.body.dataset;
if (address) {
  const { pathname, search, hash } = location;
  history.replaceState(null, "", (pathname === address ? pathname + search : address) + hash);
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

const idle = Number(document.body.dataset.idleMinutes) * 60_000;
let timer;

const cover = byId("cover");
const farewell = byId("ended");
const beneath = [...document.body.children].filter((node) => node !== cover && node !== farewell);
const covered = () => !cover.hidden || !farewell.hidden;

function watch() {
  clearTimeout(timer);
  timer = setTimeout(hide, idle);
}

// Nothing is left on the screen: not to be read, printed, found or reached by a key.
function hide() {
  if (covered()) return;
  if (byId("keys").open) byId("keys").close();
  for (const node of beneath) node.hidden = true;
  cover.hidden = false;
  cover.querySelector("button").focus();
}

// Asks whether the session goes on; null where nobody can say now.
async function goesOn() {
  const here = await fetch(document.body.dataset.here, { redirect: "manual" }).catch(() => null);
  if (here?.status === 204) return true;
  return here?.type === "opaqueredirect" || here?.status === 401 ? false : null;
}

async function show() {
  const going = await goesOn();
  if (going === false) return end();
  byId("unsaid").hidden = going !== null;
  if (going === null) return;
  for (const node of beneath) node.hidden = false;
  cover.hidden = true;
  watch();
}

// What somebody has written on this page and not sent, field by field.
function written() {
  const fields = ["textarea", "input[type=text]", "input:not([type])"].map((kind) => `#main ${kind}`);
  return [...document.querySelectorAll(fields.join())]
    .filter((field) => !field.readOnly && field.value.trim())
    .filter((field) => field.matches("textarea") || field.value !== field.defaultValue)
    .map((field) => field.value)
    .join("\n\n");
}

// The session has ended. The page is taken off the screen and out of the browser's hands; what its
// writer had not sent stays in this tab alone, out of sight until they ask for it.
function end() {
  if (!farewell.hidden) return;
  const text = written();
  clearTimeout(timer);
  clearInterval(renewing);
  for (const node of beneath) node.remove();
  cover.hidden = true;
  farewell.hidden = false;
  byId("unsent").hidden = !text;
  byId("written").value = text;
  if (text) farewell.querySelector("a").target = "_blank";
  farewell.querySelector("a").focus();
}

cover.querySelector("button").addEventListener("click", show);
for (const kind of ["keydown", "pointermove", "scroll"]) {
  document.addEventListener(kind, () => { if (!covered()) watch(); }, { passive: true });
}
watch();

// A claim is renewed while its page is open and somebody is there; without this it just runs out.
const claim = document.querySelector("[data-renew]");

async function renew() {
  if (covered()) return;
  const body = new URLSearchParams({ csrf: claim.dataset.csrf });
  const done = await fetch(claim.dataset.renew, { method: "POST", body }).catch(() => null);
  if (done?.status === 401) {
    end();
  } else if (done && !done.ok) {
    clearInterval(renewing);
    byId("holder").textContent = "You do not have this case any more.";
  }
}

const renewing = claim && setInterval(renew, Number(claim.dataset.seconds) * 1000);
