/**
 * Keeps what a person chose, and tells who obeys it; other tabs of this browser hear of it, too. A tab writes only what
 * was chosen in it, one thing at a time, so that two of them never undo each other's.
 *
 * @import {Preferences} from "./preferences.js"
 */
import { KEY, read, written } from "./preferences.js";

/** @typedef {(now: Preferences, before: Preferences) => void} Follower */

export class Preferring {
  /** @param {Storage} storage */
  constructor(storage) {
    /** @private */
    this.storage = storage;
    this.now = read(storage.getItem(KEY));
    /** @private Nothing can be kept here: what was chosen lasts as long as the page. */
    this.forgetful = false;
    /** @private @type {Follower[]} */
    this.followers = [];
    addEventListener("storage", ({ key }) => {
      if (key === KEY || key === null) this.take(this.kept()); // null: all of it was cleared
    });
  }

  /** @param {Partial<Preferences>} chosen */
  choose(chosen) {
    const next = { ...this.kept(), ...chosen };
    try {
      this.storage.setItem(KEY, written(next));
    } catch {
      this.forgetful = true;
    }
    this.take(next);
  }

  /** @param {Follower} follower called at each change */
  follow(follower) {
    this.followers.push(follower);
  }

  /** @private */
  kept() {
    return this.forgetful ? this.now : read(this.storage.getItem(KEY));
  }

  /** @private @param {Preferences} next */
  take(next) {
    const before = this.now;
    this.now = next;
    for (const follower of this.followers) follower(next, before);
  }
}
