/**
 * What happens on the page's own side, as types; what the server says is in wire.js.
 *
 * @import {Config} from "./config.js"
 * @import {Codec} from "./opus.js"
 * @import {MicrophoneState} from "./state.js"
 * @import {Link} from "./stats.js"
 * @import {PathReport} from "./wire.js"
 */

/** @typedef {{path: "webrtc" | "websocket", why: string, failed: boolean}} SoundWay `why` not WebRTC; it was tried and `failed` */

/** @typedef {{bufferedMs: number, underruns: number, targetMs: number}} BufferReport */

/**
 * What happens on the page's own side.
 * @typedef {{type: "config", config: Config}
 *   | {type: "unreachable"}
 *   | {type: "locked" | "barred", text: string}
 *   | {type: "connecting"}
 *   | {type: "stopped"}
 *   | {type: "ended"}
 *   | {type: "lost"}
 *   | {type: "kept"}
 *   | {type: "not_resumed"}
 *   | {type: "refused", text: string}
 *   | {type: "blocked", blocked: boolean}
 *   | {type: "attempt", report: PathReport}
 *   | {type: "waiting", seconds: number}
 *   | {type: "microphone", microphone: MicrophoneState}
 *   | {type: "muted", muted: boolean}
 *   | {type: "silenced", silenced: boolean}
 *   | {type: "chosen_voice", voice: string}
 *   | {type: "forgotten"}
 *   | {type: "voices", voices: string[]}
 *   | {type: "round_trip", ms: number}
 *   | {type: "buffer", report: BufferReport}
 *   | ({type: "path"} & SoundWay)
 *   | {type: "codec", codec: Codec, why: string}
 *   | {type: "impossible", why: string}
 *   | {type: "link", link: Link}
 *   | {type: "remark", text: string}} PageEvent
 */

export {};
