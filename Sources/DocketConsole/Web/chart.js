// A small chart of a figure over time, from zero.

import { h, svg } from "./dom.js";

const WIDTH = 320;
const HEIGHT = 96;
const PADDING = 4;

/// - Parameters:
///   - points: `{at, value}`, the oldest first, `at` in milliseconds.
///   - format: how a value is told.
export function chart({ title, points, format }) {
  const values = points.map((point) => point.value);
  const latest = values.at(-1);
  const highest = Math.max(...values, 0);
  const told = latest === undefined ? "–" : format(latest);
  return h(
    "figure.chart", {},
    h("figcaption", {}, h("span", {}, title), h("b", {}, told)),
    points.length < 2
      ? h(".waiting", {}, "One moment more")
      : drawing(points, highest, `${title}: ${told}, at most ${format(highest)}`),
    h(".range", {}, h("span", {}, points.length < 2 ? "" : `last ${Math.round((points.at(-1).at - points[0].at) / 1000)} s`),
      h("span", {}, points.length < 2 ? "" : `most ${format(highest)}`)));
}

function drawing(points, highest, label) {
  const from = points[0].at;
  const span = Math.max(1, points.at(-1).at - from);
  const x = ({ at }) => ((at - from) / span) * WIDTH;
  const y = ({ value }) => HEIGHT - PADDING - (value / (highest || 1)) * (HEIGHT - 2 * PADDING);
  const line = points.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`);
  return svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    [0.25, 0.5, 0.75].map((part) => svg("line.grid", { x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part })),
    svg("polygon.area", { points: `0,${HEIGHT} ${line.join(" ")} ${WIDTH},${HEIGHT}` }),
    svg("polyline.line", { points: line.join(" ") }));
}
