/** Something that is asked for again and again while somebody looks: one question at a time, and none in a hidden tab. */
export class Repeated {
  /**
   * @param {() => Promise<void>} ask never throws
   * @param {number} everyMs between an answer and the next question
   */
  constructor(ask, everyMs) {
    /** @private */
    this.ask = ask;
    /** @private */
    this.everyMs = everyMs;
    /** @private */
    this.wanted = false;
    /** @private */
    this.asking = false;
    /** @private Meanwhile it was to be something else. */
    this.changed = false;
    /** @private @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {boolean} wanted somebody looks */
  run(wanted) {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    clearTimeout(this.timer);
    if (wanted) void this.go();
  }

  /** What is asked for has changed: ask now, or as soon as the answer to the earlier question is there. */
  next() {
    this.changed = this.asking;
    void this.go();
  }

  /** @private */
  async go() {
    if (this.asking || !this.wanted) return;
    clearTimeout(this.timer);
    this.asking = true;
    do {
      this.changed = false;
      await this.ask();
    } while (this.changed && this.wanted);
    this.asking = false;
    if (this.wanted) this.timer = setTimeout(() => void this.go(), this.everyMs);
  }
}
