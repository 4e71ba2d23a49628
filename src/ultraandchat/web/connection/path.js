/**
 * What the layers of a connection are to each other, as types: a path carries, the line keeps one.
 *
 * @import {Codec} from "../opus.js"
 * @import {ClientMessage, ServerMessage} from "../wire.js"
 */

/**
 * One way for messages and sound of both directions.
 * @typedef {Object} Path
 * @property {string} name
 * @property {(message: ClientMessage) => void} send
 * @property {(frame: Int16Array) => void} sendSound 20 ms at 16 kHz
 * @property {() => void} close at once; `Listener.closed` is called
 */

/**
 * What a path tells.
 * @typedef {Object} Listener
 * @property {() => void} opened
 * @property {(message: ServerMessage) => void} message
 * @property {(samples: Float32Array, position: number) => void} sound at 48 kHz
 * @property {(codec: Codec, why: string) => void} codec in which sound goes here; `why`: Opus failed
 * @property {() => void} closed once, for whatever reason
 */

/**
 * @typedef {Object} LineEnds
 * @property {() => Promise<URL>} address asked for at each attempt: a ticket is good for one
 * @property {() => void} opened a line is there, and it is a new one: what was said before is gone
 * @property {(message: ServerMessage) => void} message
 * @property {(samples: Float32Array, position: number) => void} sound at 48 kHz
 * @property {(codec: Codec, why: string) => void} codec in which sound goes here; `why`: Opus failed
 * @property {() => void} lost there is none, and another is looked for
 * @property {(seconds: number) => void} waiting until the next attempt
 * @property {(why: string) => void} remark
 * @property {(error: unknown) => void} refused there is no address
 */

export {};
