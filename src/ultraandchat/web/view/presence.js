/**
 * The one moving thing: a disc whose edge follows what is really heard and played. Open and still
 * when it listens, waving with the user's voice, a turning highlight when it thinks, filled when it
 * speaks. It draws only while something moves.
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
const POINTS = 72;
/** The edge's waves: how many around, how far at full level, radians a second. */
const WAVES = /** @type {const} */ ([
  [2, 2.6, 1.6],
  [3, 2.2, -2.3],
  [5, 1.4, 3.1],
]);
/** The level attribute is written this often, and in steps where motion is not wanted. */
const STEP_MS = 100;

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
    const wanted = this.wanted();
    const next = this.level + (wanted - this.level) * (wanted > this.level ? RISE : FALL);
    this.draw(now / 1000, next < 0.004 && wanted === 0 ? 0 : next);
    this.drawing = wanted > 0 || this.level > 0;
    if (this.drawing) requestAnimationFrame((then) => this.tick(then));
  }

  /** @private @param {number} seconds @param {number} level */
  draw(seconds, level = 0) {
    this.level = level;
    const points = Array.from({ length: POINTS }, (_, i) => {
      const angle = (2 * Math.PI * i) / POINTS;
      const wave = WAVES.reduce(
        (sum, [count, far, speed]) => sum + far * Math.sin(count * angle + speed * seconds),
        0,
      );
      const radius = REST + level * (9 + wave);
      return `${(radius * Math.cos(angle)).toFixed(2)} ${(radius * Math.sin(angle)).toFixed(2)}`;
    });
    this.edge.setAttribute("d", `M${points.join("L")}Z`);
    this.halo.setAttribute("r", (REST + 10 + 22 * level).toFixed(2));
  }
}
