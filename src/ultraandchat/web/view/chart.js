/**
 * The turns as bars, drawn by uPlot, which comes only when there is something to draw in an open panel. Where it does not
 * come the place stays empty: the table beside it has the same numbers.
 *
 * @import {Data, default as Plot} from "../vendor/uPlot.esm.js"
 * @import {TurnTiming} from "../wire.js"
 */
import { compared } from "../turns.js";
import { make } from "./find.js";

const HEIGHT_PX = 96;
const FONT = "12px system-ui, sans-serif";
/** So few bars would be too wide. */
const FEWEST = 12;

export class Chart {
  /** @param {HTMLElement} place @param {(turn: TurnTiming | undefined) => void} point somebody points at it @param {(turn: number) => void} pick */
  constructor(place, point, pick) {
    /** @private */
    this.place = place;
    /** @private */
    this.point = point;
    /** @private The turn that is pointed at. @type {TurnTiming | undefined} */
    this.pointed = undefined;
    place.addEventListener("click", () => this.pointed && pick(this.pointed.turn));
    /** @private @type {Promise<Plot> | null} */
    this.plot = null;
    /** @private @type {TurnTiming[]} */
    this.turns = [];
  }

  /** @param {TurnTiming[]} turns */
  async show(turns) {
    this.turns = turns;
    if (turns.length === 0 && !this.plot) return;
    this.plot ??= this.make();
    try {
      const plot = await this.plot;
      if (this.turns === turns) plot.setData(this.data());
    } catch {
      this.plot = null; // tried again with the next turn
    }
  }

  /** @private @returns {Data} */
  data() {
    return [this.turns.map((_, index) => index), this.turns.map(({ total_ms }) => total_ms)];
  }

  /** @private */
  async make() {
    const [{ default: Plot }] = await Promise.all([import("../vendor/uPlot.esm.js"), styled()]);
    const plot = new Plot(this.options(Plot.paths.bars({ size: [0.7, 24], radius: 0.2 })), this.data(), this.place);
    new ResizeObserver(() => this.fit(plot)).observe(this.place);
    const seen = { attributes: true, attributeFilter: ["data-theme"] };
    new MutationObserver(() => plot.redraw(false)).observe(document.documentElement, seen);
    return plot;
  }

  /** @private @param {Plot} plot */
  fit(plot) {
    const width = this.place.clientWidth;
    if (width > 0) plot.setSize({ width, height: HEIGHT_PX });
  }

  /** @private @param {import("../vendor/uPlot.esm.js").Paths} paths @returns {import("../vendor/uPlot.esm.js").Options} */
  options(paths) {
    return {
      width: this.place.clientWidth || 320,
      height: HEIGHT_PX,
      padding: [8, 0, 8, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: () => [-0.5, Math.max(FEWEST, this.turns.length) - 0.5] },
        y: { range: (_plot, _least, most) => [0, Math.max(1, most)] },
      },
      axes: [
        { show: false, stroke: "", font: FONT, size: 0, gap: 0, grid: { show: false }, ticks: { show: false } },
        {
          stroke: colour("--soft"),
          font: FONT,
          size: 40,
          gap: 8,
          space: 32,
          grid: { stroke: colour("--hair"), width: 1 },
          ticks: { show: false },
          values: (_plot, splits) => splits.map(tick),
        },
      ],
      series: [{}, { fill: colour("--accent"), paths, points: { show: false } }],
      hooks: { draw: [(plot) => this.half(plot)], setCursor: [(plot) => this.tell(plot)] },
    };
  }

  /** The line that half of the turns stay under. @private @param {Plot} plot */
  half({ ctx, bbox, valToPos }) {
    const { p50 } = compared(this.turns);
    if (p50 === null) return;
    const y = valToPos(p50, "y", true);
    ctx.save();
    ctx.strokeStyle = colour("--ink")();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  /** @private @param {Plot} plot */
  tell({ cursor }) {
    this.pointed = this.turns[cursor.idx ?? -1];
    this.point(this.pointed);
  }
}

/** @param {number} ms */
function tick(ms) {
  return ms < 1000 ? String(ms) : `${ms / 1000}\u00a0s`;
}

/** @param {string} name of the style's property, as it is in the theme at that time */
function colour(name) {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** uPlot's own style. */
function styled() {
  return new Promise((resolve, reject) => {
    const link = make("link");
    link.rel = "stylesheet";
    link.href = "vendor/uPlot.css";
    link.onload = () => resolve(undefined);
    link.onerror = reject;
    document.head.append(link);
  });
}
