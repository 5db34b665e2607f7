// The server's own figures, and how they go with time.

import { ask } from "./api.js";
import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { bytes, count, counted, duration, milliseconds } from "./format.js";
import { parse, plain } from "./json.js";
import { pause } from "./live.js";
import { banner, failed } from "./notices.js";

const INTERVAL = 2000;
const KEPT = 150;
/// What was seen since the console was opened.
const samples = [];

/// What requests are counted apart by, as the server names it.
const KINDS = {
  read: "of one document", write: "of one document", batch: "several requests as one", page: "of a collection as it stands",
  query: "conditions, searches, counts", past: "versions, and documents as they were", changes: "the feed of all changes",
  watch: "that began or ended", settings: "of collections", tokens: "who may do what", backups: "copies of the database",
  status: "health, access and figures; what this screen asks is among it", other: "what was refused before it came to the store",
};

export async function show({ signal, reload }) {
  const sign = h("span.state", { role: "status" });
  const facts = h("span");
  const news = h(".news");
  const figures = h(".groups");
  const charts = h(".charts");
  const kinds = h(".kinds-place");
  await look();
  const element = h(
    "section.server", {},
    h(".head", {}, h("h1", {}, "Server"), h("p.summary", {}, sign, facts)),
    news, figures, charts, kinds);
  draw();
  watch();
  return { title: "Server", element };

  async function look() {
    const began = performance.now();
    const [stats, readiness] = await Promise.all([
      ask("GET", "/_stats", { signal }).then(({ text }) => ({ ...plain(parse(text)), took: performance.now() - began })),
      // Not to be ready is an answer too.
      ask("GET", "/_ready", { signal }).then(() => null, (error) => {
        if (error.status !== 503) throw error;
        return error;
      }),
    ]);
    // A server that began anew counts from nothing.
    if (stats.uptimeSeconds < samples.at(-1)?.uptimeSeconds) samples.length = 0;
    samples.push({ at: Date.now(), ...stats, unready: readiness });
    if (samples.length > KEPT) samples.shift();
  }

  async function watch() {
    for (;;) {
      await pause(INTERVAL, signal);
      if (signal.aborted) return;
      try {
        await look();
        draw();
      } catch (error) {
        if (signal.aborted) return;
        fill(news, failed(error, reload));
        if (error.status === 401 || error.status === 403) return;
      }
    }
  }

  function draw() {
    const now = samples.at(-1);
    fill(sign, now.unready ? "Not ready" : "Ready");
    sign.className = `state ${now.unready ? "bad" : "valid"}`;
    fill(facts, `Docket ${now.version} on SQLite ${now.engine.replace(/^SQLite /, "")}, up for ${duration(now.uptimeSeconds)}`);
    fill(
      news,
      now.unready ? banner("bad", now.unready.message) : null,
      now.making ? banner("good", `Making ${now.making.name}: ${now.making.percent} %`, h("progress", { max: 100, value: now.making.percent })) : null);
    fill(figures, storage(now), load(now), processOf(now));
    fill(
      charts,
      chart({ title: "Changes a second", points: rates((sample) => sample.revision), format: perSecond }),
      chart({ title: "Requests a second", points: rates((sample) => sum(sample, "count")), format: perSecond }),
      chart({ title: "Refused and failed a second", points: rates((sample) => sum(sample, "refused") + sum(sample, "failed")), format: perSecond }),
      chart({ title: "Answer time", points: series((sample) => sample.took), format: milliseconds }),
      chart({ title: "Writes that wait", points: series((sample) => sample.writeQueue.bytes), format: bytes }),
      now.process ? chart({ title: "Memory", points: series((sample) => sample.process.residentBytes), format: bytes }) : null);
    fill(kinds, table(now));
  }
}

// MARK: Figures

function storage(now) {
  return group("Storage",
    figure("Database", bytes(now.databaseBytes), "the file"),
    figure("Log", bytes(now.logBytes), "beside it"),
    figure("Free room", bytes(now.freeBytes), "on their disk", now.unready?.error === "no_room"),
    figure("Revision", count(now.revision), "changes in all"),
    figure("History", count(now.revision - now.oldestRevision), "revisions back"));
}

function load(now) {
  const { native, http } = now.connections;
  return group("Load",
    figure("Connections", count(native + http), `${count(native)} native, ${count(http)} HTTP`),
    figure("Watches", count(now.watches), "open now"),
    figure("Writes that wait", bytes(now.writeQueue.bytes), `of ${bytes(now.writeQueue.limitBytes)} at most`, now.writeQueue.bytes > 0.9 * now.writeQueue.limitBytes),
    figure("Answers not taken", bytes(now.waitingAnswers.bytes), `large reads are refused beyond ${bytes(now.waitingAnswers.limitBytes)}`, now.waitingAnswers.bytes > 0.9 * now.waitingAnswers.limitBytes),
    figure("Group size", now.writeGroups.count ? count(Math.round(now.writeGroups.mean * 10) / 10) : "–", `writes a commit, of ${counted(now.writeGroups.count, "commit")}`),
    figure("Sync", now.logSyncs.count ? milliseconds(now.logSyncs.p50Milliseconds) : "–", now.logSyncs.count ? `p50; p99 ${milliseconds(now.logSyncs.p99Milliseconds)}` : "none yet"));
}

function processOf(now) {
  if (!now.process) return null;
  const before = samples.at(-2);
  const busy = before?.process ? (now.process.cpuMilliseconds - before.process.cpuMilliseconds) / Math.max(1, now.at - before.at) : null;
  return group("Process",
    figure("Memory", bytes(now.process.residentBytes), "resident"),
    figure("Document cache", bytes(now.documentCacheBytes), "of that"),
    figure("Processor", busy === null ? "–" : `${Math.round(100 * busy)} %`, "of one core"),
    figure("Open files", count(now.process.openFiles), "connections among them"));
}

function group(title, ...figures) {
  return h(".group-of", {}, h("h2", {}, title), h("dl.figures", {}, figures));
}

function figure(name, value, hint, isBad = false) {
  return h("div", {}, h("dt", {}, name), h(`dd${isBad ? ".bad" : ""}`, {}, value, h("span.hint", {}, hint)));
}

// MARK: Requests

function table(now) {
  const before = samples.at(-2);
  const seconds = before ? Math.max(0.001, (now.at - before.at) / 1000) : null;
  const rows = Object.entries(now.requests);
  return h(
    ".table-frame", {},
    h("table.kinds", {},
      h("caption", {}, h("h2", {}, "Requests"), h("p.hint", {}, "Since the server began. p50 and p99 are the times within which a half, and 99 of 100, were answered, without the way over the network.")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Kind"), ["In all", "A second", "Refused", "Failed", "p50", "p99"].map((text) => h("th.right", { scope: "col" }, text)))),
      h("tbody", {}, rows.map(([kind, told]) => h(
        "tr", { data: { kind } },
        h("th", { scope: "row", title: KINDS[kind] }, kind),
        number(count(told.count)),
        number(seconds === null ? "–" : perSecond(Math.max(0, told.count - (before.requests[kind]?.count ?? 0)) / seconds), told.count === before?.requests[kind]?.count),
        number(count(told.refused), !told.refused), h(`td.right${told.failed ? ".bad" : ".dim"}`, {}, count(told.failed)),
        number(milliseconds(told.p50Milliseconds)), number(milliseconds(told.p99Milliseconds)))))));
}

function number(text, isDim = false) {
  return h(`td.right${isDim ? ".dim" : ""}`, {}, text);
}

// MARK: Charts

/// This screen's own requests are left out.
function sum({ requests }, member) {
  return Object.entries(requests).reduce((all, [kind, told]) => all + (kind === "status" ? 0 : told[member]), 0);
}

function perSecond(value) {
  return count(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}

function series(read) {
  return samples.map((sample) => ({ at: sample.at, value: read(sample) }));
}

/// How fast what only grows did so between two samples.
function rates(read) {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index];
    return { at: sample.at, value: Math.max(0, read(sample) - read(before)) / Math.max(0.001, (sample.at - before.at) / 1000) };
  });
}
