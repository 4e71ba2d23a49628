/**
 * One WebSocket on the page's own origin: messages as JSON, sound as PCM16 behind a header.
 *
 * @import {Listener, Path} from "../connection.js"
 */
import { decode, encode } from "../frames.js";

/** More than this unsent (one second of sound) means the network stalls: newer sound is dropped. */
const MOST_UNSENT_BYTES = 32_000;

/**
 * @param {Listener} listener
 * @returns {Path}
 */
export function openWebSocket(listener) {
  const address = new URL("ws", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  let position = 0;
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    socket.close();
    listener.closed();
  };
  socket.onopen = () => closed || listener.opened();
  socket.onclose = close;
  socket.onmessage = ({ data }) => {
    if (closed) return;
    if (typeof data === "string") listener.message(JSON.parse(data));
    else {
      const frame = decode(data);
      if (frame) listener.sound(frame.samples, frame.position);
    }
  };
  return {
    name: "websocket",
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
    },
    sendSound: (frame) => {
      const stalled = socket.bufferedAmount > MOST_UNSENT_BYTES;
      if (socket.readyState === WebSocket.OPEN && !stalled) socket.send(encode(frame, position));
      position += frame.length; // what is dropped leaves a gap, so that the server counts right
    },
    close,
  };
}
