"""The page's script: it replaces the usage by what the server renders, and reports failures.

Without it the page is whole, and static.
"""

from typing import Final

SCRIPT: Final = r"""
"use strict";
(() => {
  const PERIOD = 2000, TIMEOUT = 5000;
  const status = document.getElementById("status");
  const button = document.getElementById("pause");
  let paused = false, timer = 0, failure = "", turn = 0;

  // Only what differs: a selection, a screen reader's place and a bar's transition stay.
  const update = (shown, fresh) => {
    if (shown.isEqualNode(fresh)) return;
    const old = [...shown.childNodes], children = [...fresh.childNodes];
    const alike = shown.nodeName === fresh.nodeName && old.length === children.length;
    if (!alike || !shown.attributes) {
      shown.replaceWith(fresh);
      return;
    }
    for (const name of shown.getAttributeNames())
      if (!fresh.hasAttribute(name)) shown.removeAttribute(name);
    for (const { name, value } of fresh.attributes) shown.setAttribute(name, value);
    old.forEach((child, at) => update(child, children[at]));
  };

  // Each change once: a screen reader reads it out.
  const report = (text, state) => {
    status.dataset.state = state;
    if (status.textContent !== text) status.textContent = text;
  };
  const fail = (reason) => {
    if (failure === reason) return;
    failure = reason;
    const time = new Date().toLocaleTimeString();
    report(`${reason} at ${time}; the figures are the last ones received`, "off");
  };
  const poll = async () => {
    const mine = turn;
    let reason = "The service could not be reached", fresh;
    try {
      const response = await fetch("?part=usage", { cache: "no-store",
        headers: { Accept: "text/html" }, signal: AbortSignal.timeout(TIMEOUT) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      fresh = response.ok && page.querySelector(".tiles");
      reason = response.ok ? "The response was not understood"
        : `The response was ${response.status}`;
    } catch { /* the reason is set */ }
    if (mine !== turn) return;
    if (fresh) {
      update(document.querySelector(".tiles"), fresh);
      failure = "";
      report("Live, every 2 seconds", "on");
    } else fail(reason);
    timer = setTimeout(poll, PERIOD);
  };
  const restart = () => {
    clearTimeout(timer);
    turn++;
    button.textContent = paused ? "Resume" : "Pause";
    if (paused) {
      failure = "";
      report("Paused", "off");
    } else if (!document.hidden) poll();
  };
  button.addEventListener("click", () => { paused = !paused; restart(); });
  document.addEventListener("visibilitychange", restart);
  button.hidden = false;
  restart();
})();
"""
