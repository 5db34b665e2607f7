// The server's own figures, and how they go with time.

import { ask } from "./api.js";
import { chart } from "./chart.js";
import { fill, h } from "./dom.js";
import { bytes, count } from "./format.js";
import { parse, plain } from "./json.js";
import { pause } from "./live.js";
import { banner, failed } from "./notices.js";

const INTERVAL = 2000;
const KEPT = 150;
/// What was seen since the console was opened.
const samples = [];

export async function show({ signal }) {
  const figures = h("dl.figures");
  const charts = h(".charts");
  const news = h(".news");
  await look();
  const element = h(
    "section", {},
    h(".head", {}, h("h1", {}, "Server"), h("p.summary", {}, `Asked every ${INTERVAL / 1000} seconds while this is open`)),
    news, figures, charts);
  draw();
  watch();
  return { title: "Server", element };

  async function look() {
    const began = performance.now();
    const { text } = await ask("GET", "/_stats", { signal });
    samples.push({ at: Date.now(), took: performance.now() - began, ...plain(parse(text)) });
    if (samples.length > KEPT) samples.shift();
  }

  async function watch() {
    for (;;) {
      await pause(INTERVAL, signal);
      if (signal.aborted) return;
      try {
        await look();
        fill(news);
        draw();
      } catch (error) {
        if (signal.aborted) return;
        fill(news, failed(error));
        if (error.status) return;
      }
    }
  }

  function draw() {
    const now = samples.at(-1);
    if (now.making) fill(news, banner("good", `Making ${now.making.name}: ${now.making.percent} %`, h("progress", { max: 100, value: now.making.percent })));
    fill(
      figures,
      figure("Revision", count(now.revision), "how many writes there were in all"),
      figure("File", bytes(now.fileBytes), "the database and its log"),
      figure("Watches", count(now.watches), "that are open now"),
      figure("History", count(now.revision - now.oldestRevision), "revisions back"),
      figure("Engine", now.engine, `history ${now.history.slice(0, 8)}`));
    fill(
      charts,
      chart({ title: "Writes a second", points: rates(), format: (value) => count(Math.round(value * 10) / 10) }),
      chart({ title: "Answer time", points: series("took"), format: (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms` }),
      chart({ title: "File size", points: series("fileBytes"), format: bytes }),
      chart({ title: "Watches", points: series("watches"), format: (value) => count(Math.round(value)) }));
  }
}

function series(key) {
  return samples.map((sample) => ({ at: sample.at, value: sample[key] }));
}

function rates() {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index];
    return { at: sample.at, value: Math.max(0, sample.revision - before.revision) / Math.max(0.001, (sample.at - before.at) / 1000) };
  });
}

function figure(name, value, hint) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value, h("span.hint", {}, hint)));
}
