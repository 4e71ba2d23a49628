/**
 * The line to the server: one WebSocket at a time, opened when it is wanted, kept alive, and replaced when
 * it is doubted, broken or slow to come. liveness.js decides about doubt; what is said on the line,
 * and what a new one means, is the business of connection.js.
 *
 * Before a conversation it is kept from the page's opening on, so that nobody waits for it; a page that
 * is left open lets it go after some minutes, for it would hold a place at the server for nothing.
 *
 * @import {LineEnds, Path} from "./path.js"
 * @import {ClientMessage, ServerMessage} from "../wire.js"
 */
import { LOBBY_PING_MS, Liveness, PING_MS } from "./liveness.js";
import { openWebSocket } from "./websocket.js";

/** Before each further attempt. Short at first: most cuts are over at once. */
export const BACK_OFF_MS = [200, 500, 1_000, 2_000, 4_000, 8_000];
/** What an attempt may take: name, TCP, TLS and the upgrade are five round trips. */
export const OPENING_MS = [2_000, 3_000, 5_000, 10_000];
/** A page on which nobody starts keeps its line for so long. */
export const LOBBY_MS = 3 * 60_000;
/** The countdown on the page goes in whole seconds. */
const SECOND_MS = 1_000;

export class Line {
  /** @param {LineEnds} ends */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private @type {"nothing" | "lobby" | "conversation"} */
    this.wanted = "nothing";
    /** @private @type {Path | null} The one that is open. */
    this.path = null;
    /** @private @type {Path | null} The one that is being opened. */
    this.coming = null;
    /** @private Attempts since the last one that opened. */
    this.attempts = 0;
    /** @private */
    this.liveness = new Liveness();
    /** @private @type {ReturnType<typeof setTimeout> | undefined} Of liveness. */
    this.watch = undefined;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} Of the next attempt, or of the one that is made. */
    this.timer = undefined;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.lobbyEnd = undefined;
    /** @private Counts what is asked of it, so that an address that comes late is not used. */
    this.turn = 0;
  }

  /** Have a line ready; nothing is said if there is none to be had. */
  keep() {
    if (this.wanted === "conversation") return;
    this.wanted = "lobby";
    clearTimeout(this.lobbyEnd);
    this.lobbyEnd = setTimeout(() => this.rest(), LOBBY_MS);
    if (!this.path && !this.coming) this.connect();
  }

  /** A conversation needs it, now. Cuts the wait for the next attempt short. */
  need() {
    clearTimeout(this.lobbyEnd);
    this.wanted = "conversation";
    this.attempts = 0;
    if (this.path) this.opened(this.path);
    else if (!this.coming) this.connect();
  }

  /** Nobody needs it any more. */
  rest() {
    clearTimeout(this.lobbyEnd);
    this.wanted = "nothing";
    this.drop();
  }

  /** The one there is will not do; look for another, after that many seconds if they are given. @param {number} [seconds] */
  renew(seconds) {
    this.drop();
    if (seconds === undefined) this.again();
    else this.wait(Math.ceil(seconds));
  }

  /** @param {ClientMessage} message */
  send(message) {
    this.path?.send(message);
  }

  /** @param {Int16Array} frame */
  sendSound(frame) {
    this.path?.sendSound(frame);
  }

  /** Sound came on another way: the network is alive. */
  heard() {
    this.liveness.heard(now());
  }

  /** Whether this line is still good is asked at once. @param {boolean} other the network is another one */
  suspect(other) {
    this.attempts = 0;
    if (this.path) {
      this.liveness.suspect(now(), other);
      this.look();
    } else if (this.wanted === "conversation") this.renew(0);
  }

  /** @private */
  drop() {
    this.turn += 1;
    for (const timer of [this.timer, this.watch]) clearTimeout(timer);
    const { path, coming } = this;
    this.path = this.coming = null;
    this.liveness.rest();
    path?.close();
    coming?.close();
  }

  /** @private Open one, beside the one there may be. */
  async connect() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    const patience = OPENING_MS[Math.min(this.attempts, OPENING_MS.length - 1)];
    this.timer = setTimeout(() => this.failed(turn), patience);
    try {
      const address = await this.ends.address();
      if (turn === this.turn) this.open(address, turn);
    } catch (error) {
      if (turn !== this.turn) return;
      this.drop();
      this.ends.refused(error);
    }
  }

  /** @private @param {URL} address @param {number} turn */
  open(address, turn) {
    /** @type {Path} */
    const path = (this.coming = openWebSocket(
      {
        opened: () => this.came(path),
        message: (message) => this.take(path, message),
        sound: (samples, position) => {
          this.liveness.heard(now());
          if (path === this.path) this.ends.sound(samples, position);
        },
        codec: (codec, why) => (path === this.path || path === this.coming) && this.ends.codec(codec, why),
        closed: () => (path === this.path ? this.broke() : path === this.coming && this.failed(turn)),
      },
      address,
    ));
  }

  /** @private @param {Path} path */
  came(path) {
    if (path !== this.coming) return;
    clearTimeout(this.timer);
    const before = this.path;
    this.path = path;
    this.coming = null;
    this.attempts = 0;
    if (before) this.ends.remark("another connection to the server takes the place of the first");
    this.opened(path);
    before?.close();
  }

  /** @private @param {Path} path */
  opened(path) {
    this.liveness.begin(now(), this.wanted === "conversation" ? PING_MS : LOBBY_PING_MS);
    if (this.wanted === "conversation") this.ends.opened();
    if (path === this.path) this.look();
  }

  /** @private @param {Path} path @param {ServerMessage} message */
  take(path, message) {
    if (path !== this.path) return;
    this.liveness.heard(now());
    if (message.type === "pong" && this.liveness.answered(now(), message.id) !== null) this.trust();
    this.ends.message(message);
  }

  /** The last measured round trip of messages. */
  get rttMs() {
    return this.liveness.rttMs;
  }

  /** @private It answers: another one is not needed. */
  trust() {
    clearTimeout(this.timer);
    this.turn += 1;
    const { coming } = this;
    this.coming = null;
    coming?.close();
  }

  /** @private */
  look() {
    clearTimeout(this.watch);
    for (const step of this.liveness.tick(now())) {
      if (step.do === "ping") this.send({ type: "ping", id: step.id, rtt_ms: step.rttMs });
      else this.doubt();
    }
    const due = this.liveness.deadline();
    if (due < Infinity) this.watch = setTimeout(() => this.look(), Math.max(0, due - now()));
  }

  /** @private */
  doubt() {
    if (this.wanted !== "conversation") return this.rest(); // a start opens another
    this.ends.remark("the server does not answer; another connection is tried");
    if (!this.coming) this.connect();
  }

  /** @private The open one is gone. */
  broke() {
    this.path = null;
    clearTimeout(this.watch);
    this.liveness.rest();
    if (this.wanted !== "conversation") return this.rest();
    this.ends.lost();
    if (this.wanted === "conversation" && !this.coming) this.again();
  }

  /** @private @param {number} turn */
  failed(turn) {
    if (turn !== this.turn) return;
    clearTimeout(this.timer);
    this.turn += 1;
    const { coming } = this;
    this.coming = null;
    coming?.close();
    if (this.wanted !== "conversation") return this.rest();
    if (!this.path) this.ends.lost();
    this.again();
  }

  /** @private Try again, later each time. */
  again() {
    const backOff = BACK_OFF_MS[Math.min(this.attempts++, BACK_OFF_MS.length - 1)];
    clearTimeout(this.timer);
    if (this.path || backOff < SECOND_MS) this.timer = setTimeout(() => this.connect(), backOff);
    else this.wait(backOff / SECOND_MS);
  }

  /** @private @param {number} seconds */
  wait(seconds) {
    if (seconds <= 0) return void this.connect();
    this.ends.waiting(seconds);
    this.timer = setTimeout(() => this.wait(seconds - 1), SECOND_MS);
  }
}

const now = () => performance.now();
