/** A stand-in for the browser's WebSocket: the test says what happens to it. */
export class FakeSocket {
  static OPEN = 1;
  /** @type {FakeSocket[]} */
  static made = [];

  /** @param {URL} address */
  constructor(address) {
    this.address = address;
    this.readyState = 0;
    this.bufferedAmount = 0;
    /** @type {any[]} */
    this.sent = [];
    this.closed = false;
    /** @type {() => void} */
    this.onopen = () => {};
    /** @type {() => void} */
    this.onclose = () => {};
    /** @type {(event: any) => void} */
    this.onmessage = () => {};
    FakeSocket.made.push(this);
  }

  /** @param {any} data */
  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close() {
    this.readyState = 3;
    this.closed = true;
  }

  open() {
    this.readyState = 1;
    this.onopen();
    return this;
  }

  /** @param {any} message */
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  /** The server or the network closes it. */
  break() {
    this.readyState = 3;
    this.onclose();
  }

  /** The last ping is answered. */
  pong() {
    const ping = this.sent.filter(({ type }) => type === "ping").at(-1);
    this.say({ type: "pong", id: ping.id });
  }

  /** @param {string} type */
  all(type) {
    return this.sent.filter((message) => message.type === type);
  }
}

export function installSocket() {
  FakeSocket.made.length = 0;
  Object.assign(globalThis, { WebSocket: FakeSocket });
}
