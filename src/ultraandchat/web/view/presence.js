/**
 * The one moving thing: a disc whose edge follows what is really heard and played. Small when nobody is there, open and
 * still when it listens, with a thick edge that waves with the user's voice, a turning highlight when it thinks, filled
 * when it speaks. What does not follow a level is the style's; it draws only while something moves.
 */
import { SILENCE_DBFS } from "../level.js";
import { find } from "./find.js";

/** Levels between these fill the disc's range of movement. */
const QUIET_DBFS = -50;
const LOUD_DBFS = -14;
/** Share of the way to the new level in one frame of the screen: quick up, slow down. */
const RISE = 0.35;
const FALL = 0.09;
/** Radius at rest, of the drawing's 100. */
const REST = 62;
/** Corners of the edge, rounded off: enough for five waves. */
const POINTS = 24;
/** The edge's waves: how many around, how far at full level, radians a second. */
const WAVES = /** @type {const} */ ([
  [2, 2.6, 1.6],
  [3, 2.2, -2.3],
  [5, 1.4, 3.1],
]);
/** Between two drawings: a wave this slow needs no more, and a screen of 120 Hz is not asked to. */
const FRAME_MS = 30;
/** The level attribute is written this often, and in steps where motion is not wanted. */
const STEP_MS = 100;

/** The curve goes through the middles between its corners, so these stand a little outside. */
const OUTSIDE = 2 / (1 + Math.cos(Math.PI / POINTS) ** 2);
const ANGLES = Array.from({ length: POINTS }, (_, index) => (2 * Math.PI * index) / POINTS);

export class Presence {
  constructor() {
    /** @private */
    this.root = find("presence", SVGSVGElement);
    /** @private */
    this.edge = /** @type {SVGPathElement} */ (this.root.querySelector(".edge"));
    /** @private */
    this.halo = /** @type {SVGCircleElement} */ (this.root.querySelector(".halo"));
    /** @private */
    this.levels = { user: SILENCE_DBFS, agent: SILENCE_DBFS };
    /** @private */
    this.word = "";
    /** @private Where the edge is, 0…1. */
    this.level = 0;
    /** @private */
    this.drawing = false;
    /** @private */
    this.drawn = 0;
    /** @private */
    this.told = 0;
    /** @private */
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.root.dataset.speakerDbfs = SILENCE_DBFS.toFixed(1);
    this.draw(0);
  }

  /** @param {string} word the state's */
  show(word) {
    this.word = word;
    this.wake();
  }

  /**
   * @param {"user" | "agent"} who
   * @param {number} dbfs
   */
  hear(who, dbfs) {
    this.levels[who] = dbfs;
    const now = performance.now();
    const tell = now - this.told >= STEP_MS || dbfs === SILENCE_DBFS;
    if (who === "agent" && tell) {
      this.told = now;
      this.root.dataset.speakerDbfs = dbfs.toFixed(1);
    }
    this.wake();
  }

  /** @private */
  wanted() {
    const dbfs =
      this.word === "hearing you"
        ? this.levels.user
        : this.word === "speaking"
          ? this.levels.agent
          : SILENCE_DBFS;
    const share = (dbfs - QUIET_DBFS) / (LOUD_DBFS - QUIET_DBFS);
    return Math.max(0, Math.min(1, share));
  }

  /** @private */
  wake() {
    if (this.still.matches) {
      const step = Math.ceil(this.wanted() * 3) / 3;
      if (step !== this.level) this.draw(0, step);
    } else if (!this.drawing && (this.wanted() > 0 || this.level > 0)) {
      this.drawing = true;
      requestAnimationFrame((now) => this.tick(now));
    }
  }

  /** @private @param {number} now */
  tick(now) {
    const frames = Math.min(6, (now - this.drawn) / 16.7);
    if (now - this.drawn >= FRAME_MS) {
      this.drawn = now;
      const wanted = this.wanted();
      const share = 1 - (1 - (wanted > this.level ? RISE : FALL)) ** frames;
      const next = this.level + (wanted - this.level) * share;
      this.draw(now / 1000, next < 0.004 && wanted === 0 ? 0 : next);
      this.drawing = wanted > 0 || this.level > 0;
    }
    if (this.drawing) requestAnimationFrame((then) => this.tick(then));
  }

  /** @private @param {number} seconds @param {number} level */
  draw(seconds, level = 0) {
    this.level = level;
    const points = ANGLES.map((angle) => {
      let wave = 0;
      for (const [count, far, speed] of WAVES) wave += far * Math.sin(count * angle + speed * seconds);
      const radius = (REST + level * (9 + wave)) * OUTSIDE;
      return /** @type {const} */ ([radius * Math.cos(angle), radius * Math.sin(angle)]);
    });
    const last = /** @type {readonly [number, number]} */ (points.at(-1));
    const curve = points.map((point, index) => `Q${at(point)} ${at(middle(point, points[(index + 1) % POINTS]))}`);
    this.edge.setAttribute("d", `M${at(middle(last, points[0]))}${curve.join("")}Z`);
    this.halo.setAttribute("r", (REST + 10 + 22 * level).toFixed(1));
  }
}

/** @param {readonly [number, number]} point */
function at([x, y]) {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** @param {readonly [number, number]} one @param {readonly [number, number]} other @returns {[number, number]} */
function middle([x, y], [otherX, otherY]) {
  return [(x + otherX) / 2, (y + otherY) / 2];
}
