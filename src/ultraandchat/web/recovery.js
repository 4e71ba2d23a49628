/**
 * A microphone that was lost in the middle of a conversation, unplugged or forbidden, comes back by itself as soon as
 * there is one that the browser lends without asking. It owns no device and no document: it is told when to look.
 *
 * @import {MicrophoneState} from "./state.js"
 */

export class Recovery {
  /**
   * @param {Object} ends
   * @param {() => Promise<PermissionState>} ends.permitted
   * @param {() => Promise<boolean>} ends.there there is a microphone
   * @param {() => Promise<boolean>} ends.listen use it; whether that worked
   * @param {(microphone: MicrophoneState) => void} ends.tell why there is none
   */
  constructor(ends) {
    /** @private */
    this.ends = ends;
    /** @private One was lost. */
    this.lost = false;
    /** @private */
    this.looking = false;
    /** @private Something changed while it looked. */
    this.again = false;
  }

  /** One was lost: there may be another. */
  begin() {
    this.lost = true;
    void this.look();
  }

  /** There is one, or none is needed. */
  rest() {
    this.lost = false;
  }

  /** Something was plugged in or out, or allowed, or forbidden. */
  async look() {
    this.again = true;
    if (this.looking) return;
    this.looking = true;
    while (this.lost && this.again) {
      this.again = false;
      await this.attempt();
    }
    this.looking = false;
  }

  /** @private */
  async attempt() {
    const permission = await this.ends.permitted();
    if (!this.lost) return;
    this.ends.tell(permission === "denied" ? "denied" : "unplugged");
    if (permission !== "granted" || !(await this.ends.there()) || !this.lost) return;
    if (await this.ends.listen()) this.lost = false;
  }
}
