/**
 * One WebSocket: messages as JSON, sound behind a header. In which codec both sides speak is settled
 * here: whoever says `use_path` need not know.
 *
 * @import {Listener, Path} from "./path.js"
 * @import {ClientMessage} from "../wire.js"
 */
import { bestCodec } from "../opus.js";
import { Packing } from "./packing.js";

/** Answers of a server that does not take Opus. */
const REFUSALS = ["no_codec", "bad_sound"];

/**
 * @param {Listener} listener
 * @param {URL} address
 * @returns {Path}
 */
export function openWebSocket(listener, address) {
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  let closed = false;
  /** Whether sound goes here, by what was said last. */
  let inUse = true;

  const close = () => {
    if (closed) return;
    closed = true;
    packing.close();
    socket.close();
    listener.closed();
  };
  /** @param {ClientMessage} message */
  const send = (message) => {
    if (message.type === "use_path") {
      inUse = message.path === "websocket";
      if (inUse) message = { ...message, codec: packing.codec };
    }
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const packing = new Packing({
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    sound: (samples, position) => closed || listener.sound(samples, position),
    changed: (codec, why) => {
      if (inUse) send({ type: "use_path", path: "websocket" });
      listener.codec(codec, why);
    },
  });

  socket.onopen = async () => {
    if (closed) return;
    listener.opened();
    if ((await bestCodec()) === "opus" && !closed) packing.useOpus();
  };
  socket.onclose = close;
  socket.onmessage = ({ data }) => {
    if (closed) return;
    if (typeof data !== "string") {
      packing.unpack(data);
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "flush") packing.flush();
    if (message.type === "error" && REFUSALS.includes(message.code)) packing.fail(message.text);
    listener.message(message);
  };
  return {
    name: "websocket",
    send,
    sendSound: (frame) => packing.pack(frame, socket.bufferedAmount),
    close,
  };
}
