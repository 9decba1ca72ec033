"""The page's script: it refreshes the figures, and says so when it cannot.

Without it the page is whole and stands still. Words and thresholds are those of ``figures``
and of the report.
"""

from typing import Final

SCRIPT: Final = r"""
"use strict";
(() => {
  const PERIOD = 2000, PATIENCE = 5000, SAMPLES = 6;
  const status = document.getElementById("status");
  const button = document.getElementById("pause");
  const live = new Map(
    [...document.querySelectorAll("[data-live]")].map((each) => [each.dataset.live, each]));
  const samples = [];
  let paused = false, timer = 0, failing = "", turn = 0;

  const value = (fact) => fact.state === "known" ? fact.value : undefined;
  const say = (fact, words = String) => fact.state === "known" ? words(fact.value) : "unknown";
  const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
  const even = (n) => {
    const near = Math.round(n);
    return near - n === 0.5 && near % 2 ? near - 1 : near;
  };
  const size = (n) => {
    const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let at = 0;
    for (; n >= 1024 && at < units.length - 1; at++) n /= 1024;
    return `${even(n * 10) / 10} ${units[at]}`;
  };
  const cpus = (n) => {
    const text = String(even(n * 1000) / 1000);
    return text === "1" ? "1 CPU" : `${text} CPUs`;
  };
  const seconds = (n) =>
    n < 1e6 ? `${even(n / 100) / 10} ms` : `${(even(n / 1e4) / 100).toFixed(2)} s`;

  const put = (key, text) => {
    const element = live.get(key);
    if (element && element.textContent !== text) element.textContent = text;
  };
  const most = (limit, words, otherwise) => {
    const own = value(limit.own), effective = value(limit.effective);
    if (effective === undefined) return ["unknown", ""];
    if (effective === null) return ["no limit", otherwise];
    const whose = own === undefined || own === effective ? "granted" :
      `of a group above, the container's own: ${own === null ? "no limit" : words(own)}`;
    return [words(effective), whose];
  };
  const share = (used, whole, peak, limited) => used === undefined || !whole ? null : {
    used: Math.min(100, 100 * used / whole),
    peak: peak === undefined ? undefined : Math.min(100, 100 * peak / whole),
    limited,
  };
  const level = (part) =>
    !part.limited ? "soft" : part.used >= 95 ? "reached" : part.used >= 80 ? "close" : "calm";
  const perCent = (part) => {
    if (!part) return "";
    const whole = Math.floor(part.used);
    const said = whole || !part.used ? `${whole} %` : "under 1 %";
    const near = { soft: "", close: ", close to the limit",
      reached: ", at the limit", calm: "" };
    return `, ${said}${near[level(part)]}`;
  };
  const show = (key, [granted, remark], used, part) => {
    put(`${key}.granted`, granted);
    put(`${key}.remark`, remark);
    put(`${key}.used`, used + perCent(part));
    const meter = live.get(`${key}.meter`);
    if (!meter) return;
    meter.hidden = !part;
    if (!part) return;
    meter.setAttribute("aria-valuenow", Math.floor(part.used));
    meter.setAttribute("aria-valuetext", used + perCent(part));
    meter.dataset.level = level(part);
    const [fill, peak] = meter.querySelectorAll(".fill, .peak");
    fill.setAttribute("width", `${part.used.toFixed(1)}%`);
    peak.setAttribute("x", `${(part.peak >= 2 ? part.peak : -9).toFixed(1)}%`);
  };

  const cpuRate = (usage) => {
    // Over the last ten seconds: a look is up to a second old, and one interval jumps.
    const now = performance.now();
    if (usage === undefined || samples.length && usage < samples[0][1]) samples.length = 0;
    if (usage !== undefined) samples.push([now, usage]);
    if (samples.length > SAMPLES) samples.shift();
    const [at, then] = samples[0] || [now, 0];
    return now > at ? (usage - then) / (now - at) / 1000 : undefined;
  };
  const refresh = ({ cpu, memory, processes, disks }) => {
    const affinity = (value(cpu.affinity) || []).length;
    const limit = value(cpu.limit.effective);
    const rate = cpuRate(value(cpu.usage_microseconds));
    show("cpu", most(cpu.limit, cpus, `${cpus(affinity)} to run on`),
      rate === undefined ? say(cpu.usage_microseconds, (n) => `${seconds(n)} of CPU time so far`)
        : `${cpus(rate)} in use`,
      share(rate, limit || affinity, undefined, limit > 0));
    const { periods, throttled_periods: times, throttled_microseconds: waited } = cpu.throttling;
    put("cpu.throttled", say(times, (n) => value(periods) === undefined ? String(n) :
      `${n} of ${count(value(periods), "period")}`));
    put("cpu.waited", say(waited, seconds));
    put("cpu.usable", say(cpu.usable));
    put("cpu.python", say(cpu.python));

    const bytes = value(memory.limit.effective), machine = value(memory.host_total) || 0;
    show("memory", most(memory.limit, size, `the host has ${size(machine)}`),
      say(memory.working_set, (n) => `${size(n)} in use`),
      share(value(memory.working_set), bytes || machine, value(memory.peak), bytes > 0));
    put("memory.peak", say(memory.peak, size));
    put("memory.current", say(memory.current, size));
    put("memory.kills", say(memory.oom_kills));

    const pids = value(processes.limit.effective);
    show("pids", most(processes.limit, String, ""),
      say(processes.current, (n) => `${n} in use`),
      share(value(processes.current), pids, value(processes.peak), pids > 0));
    put("pids.peak", say(processes.peak));
    put("pids.refused", say(processes.refused));

    const sum = (all, ...names) => size(all.reduce((total, each) =>
      total + names.reduce((part, name) => part + (each[name] || 0), 0), 0));
    put("disk.granted", say(disks.limits, (all) =>
      all.length ? `${count(all.length, "device")} limited` : "no limit"));
    put("disk.used", say(disks.usage, (all) => `${sum(all, "read_bytes", "write_bytes")} in all`));
    put("disk.read", say(disks.usage, (all) => sum(all, "read_bytes")));
    put("disk.written", say(disks.usage, (all) => sum(all, "write_bytes")));
  };

  // Said once for each change: a screen reader reads it out.
  const tell = (text, state) => {
    status.dataset.state = state;
    if (status.textContent !== text) status.textContent = text;
  };
  const fail = (why) => {
    if (failing === why) return;
    failing = why;
    tell(`${why} at ${new Date().toLocaleTimeString()}; the figures are the last ones seen`, "off");
  };
  const ask = async () => {
    const mine = turn;
    let found, why = "The service could not be reached";
    try {
      const answer = await fetch("platform/resources",
        { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      why = answer.ok ? "The answer was not understood" : `The service answered ${answer.status}`;
      if (answer.ok) found = await answer.json();
      if (mine !== turn) return;
      if (found) {
        refresh(found);
        failing = "";
        tell("Live, every 2 seconds", "on");
      } else fail(why);
    } catch {
      if (mine !== turn) return;
      fail(why);
    }
    timer = setTimeout(ask, PERIOD);
  };
  const follow = () => {
    clearTimeout(timer);
    turn++;
    samples.length = 0;
    button.textContent = paused ? "Resume" : "Pause";
    if (paused) {
      failing = "";
      tell("Paused", "off");
    } else if (!document.hidden) ask();
  };
  button.addEventListener("click", () => { paused = !paused; follow(); });
  document.addEventListener("visibilitychange", follow);
  button.hidden = false;
  follow();
})();
"""
