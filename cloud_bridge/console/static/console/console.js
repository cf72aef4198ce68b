// What makes a day at the console easier. Every page works without it.
"use strict";

// Whoever has done nothing for long is told two minutes before the sign-out, and may stay.
function watchIdleness(box) {
  const before = 2 * 60 * 1000;
  const wait = box.dataset.idleMinutes * 60 * 1000 - before;
  const stay = box.querySelector("button");
  let timer;
  let cameFrom;
  function start() {
    clearTimeout(timer);
    timer = setTimeout(warn, wait);
  }
  function warn() {
    cameFrom = document.activeElement;
    box.hidden = false;
    stay.focus();
  }
  stay.addEventListener("click", async () => {
    await fetch(box.dataset.stay, { method: "HEAD", redirect: "manual" });
    box.hidden = true;
    if (cameFrom) cameFrom.focus();
    start();
  });
  if (wait > 0) start();
}

// A form is sent once, however often its button is pressed; after a download it may be again.
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 3000);
  });
}

// One box that ticks all boxes of a table.
function tickAll(box) {
  box.hidden = false;
  const others = () => box.closest("table").querySelectorAll("tbody input[type=checkbox]");
  box.addEventListener("change", () => others().forEach((other) => (other.checked = box.checked)));
}

// What stands above every page and cannot wait for the next click. Ends with the session.
function keepAlerts(box) {
  const every = box.dataset.everyS * 1000;
  async function ask() {
    const answer = await fetch(box.dataset.alerts, { redirect: "manual" }).catch(() => null);
    if (answer && answer.type === "opaqueredirect") return;
    if (answer && answer.ok) show(await answer.text());
    setTimeout(ask, every);
  }
  function show(words) {
    if (box.dataset.shown !== words) box.innerHTML = words;
    box.dataset.shown = words;
  }
  setTimeout(ask, every);
}

// The five drop-downs of regions (S05-S09): a choice in one fills the next, all lower ones close.
function linkRegions(form) {
  const menus = [...form.querySelectorAll("select[name^=region]")];
  async function fill(number) {
    const lower = menus.slice(number + 1);
    lower.forEach((menu) => menu.replaceChildren(menu.options[0]));
    const code = menus[number].value;
    if (!code || !lower.length) return;
    const answer = await fetch(`${form.dataset.regions}?under=${code}`, { redirect: "manual" });
    if (!answer.ok || menus[number].value !== code) return;
    const { choices } = await answer.json();
    lower[0].append(...choices.map(([value, words]) => new Option(words, value)));
  }
  menus.forEach((menu, number) => menu.addEventListener("change", () => fill(number)));
}

document.querySelectorAll(".idle").forEach(watchIdleness);
document.querySelectorAll("form[data-regions]").forEach(linkRegions);
document.querySelectorAll("[data-alerts]").forEach(keepAlerts);
document.querySelectorAll("form[method=post]").forEach(sendOnce);
document.querySelectorAll("input[data-all]").forEach(tickAll);
document.querySelectorAll("button[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
// A page that comes back from the browser's memory may send its forms again.
addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});
