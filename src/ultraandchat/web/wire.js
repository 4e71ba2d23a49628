/**
 * The control messages of `/ws`, as types: the words of transport/wire.py. Made by `make docs`.
 */

export const PROTOCOL_VERSION = 2;

/**
 * First message: begin the conversation.
 * @typedef {Object} Hello
 * @property {"hello"} type
 * @property {number} [protocol] The page's protocol version.
 * @property {string} [timezone] IANA name, so that "what time is it" is answered for the caller.
 * @property {string} [language] BCP 47 tag of the browser.
 * @property {string} [voice] A voice of `Welcome.voices`; empty = the first.
 * @property {number | null} [speed] As in `settings`, from the first word on.
 * @property {number | null} [sensitivity] As in `settings`.
 * @property {string} [resume] Go on with the conversation that gave this token (`Welcome.resume`, or the newest `resume_token`).
 * @property {number | null} [heard] With `resume`: the position, in samples at 48 kHz (mod 2³²), up to which the agent was audible: the RTP timestamp of what was played last, or the position of a binary frame at that rate, over whichever connection it came. 0: nothing was heard yet. None: not known.
 */

/**
 * While muted the caller's sound counts as silence.
 * @typedef {Object} Mute
 * @property {"mute"} type
 * @property {boolean} muted
 */

/**
 * The button: be quiet now.
 * @typedef {Object} Interrupt
 * @property {"interrupt"} type
 */

/**
 * A typed turn.
 * @typedef {Object} Say
 * @property {"say"} type
 * @property {string} text
 */

/**
 * Push-to-talk: the key went down, the caller has the floor until `release`.
 * @typedef {Object} Press
 * @property {"press"} type
 */

/**
 * Push-to-talk: the key went up, the turn is over.
 * @typedef {Object} Release
 * @property {"release"} type
 */

/**
 * Changes how the agent speaks, from the next clause on, and how it listens, at once; an absent field stays as it is.
 * @typedef {Object} Settings
 * @property {"settings"} type
 * @property {string | null} [voice]
 * @property {number | null} [speed] 0.5…2.
 * @property {number | null} [volume] 0…2; 1 = as made.
 * @property {number | null} [sensitivity] The level below which this caller's sound is not speech: dBFS (RMS over 32 ms), -70…-20; the lower, the more is heard. 0: the server's own level, `turn.gate_dbfs`.
 */

/**
 * Forget what was said so far. A reply is cut; a turn that is being spoken goes on, and so do timers. Answered by `forgotten`.
 * @typedef {Object} Forget
 * @property {"forget"} type
 */

/**
 * Answered at once by `pong` with the same `id`; also tells the server the measured round trip.
 * @typedef {Object} Ping
 * @property {"ping"} type
 * @property {number} id
 * @property {number | null} [rtt_ms] The caller's last measured round trip.
 */

/**
 * What the caller's playout buffer did in the last second.
 * @typedef {Object} Playback
 * @property {"playback"} type
 * @property {number} buffered_ms
 * @property {number} underruns Since the conversation began.
 */

/**
 * Asks for a WebRTC path; may come before `hello`. Answered by `answer`, or `error` "bad_offer".
 * @typedef {Object} Offer
 * @property {"offer"} type
 * @property {string} sdp
 */

/**
 * A browser's `RTCIceCandidateInit`.
 * @typedef {Object} CandidateInit
 * @property {string} candidate RFC 8839 §5.1; empty: there are no more.
 * @property {string | null} [sdpMid]
 * @property {number | null} [sdpMLineIndex]
 * @property {string | null} [usernameFragment]
 */

/**
 * One more address at which the caller may be reached; None: there are no more.
 * @typedef {Object} IceCandidate
 * @property {"ice-candidate"} type
 * @property {CandidateInit | null} candidate
 */

/**
 * Sound of both directions goes this way from now on; may come before `hello`. Without it: the WebSocket.
 * @typedef {Object} UsePath
 * @property {"use_path"} type
 * @property {"webrtc" | "websocket"} path
 * @property {"pcm16" | "opus"} [codec] How the agent's voice comes over the WebSocket; `/config.json` names what this server has (`websocket.codecs`), "no_codec" is the answer to what it has not. Callers may send either at any time.
 */

/**
 * One candidate pair of a WebRTC attempt, as the caller's browser saw it.
 * @typedef {Object} PairTried
 * @property {string} protocol "udp", "tcp", "relay/udp", "relay/tcp", "relay/tls".
 * @property {string} local Kind of the caller's candidate: "host", "srflx", "prflx", "relay".
 * @property {string} remote Kind and address of the server's: "host 203.0.113.7:13007".
 * @property {string} state "chosen", "succeeded", "failed", "unanswered".
 * @property {number | null} [rtt_ms]
 */

/**
 * How one attempt at WebRTC went; may come before `hello`. For the log: a fallback is never silent.
 * @typedef {Object} PathReport
 * @property {"path_report"} type
 * @property {"chosen" | "failed" | "lost"} outcome
 * @property {string} text Why, in words; empty where it was chosen.
 * @property {number} after_ms From the offer to media that came through, or to giving up.
 * @property {PairTried[]} pairs At most 64.
 */

/**
 * What the caller's end of a WebRTC path measured (`getStats`), once a second; counts since it began.
 * @typedef {Object} Stats
 * @property {"stats"} type
 * @property {number | null} rtt_ms
 * @property {number} jitter_ms Of what arrives at the caller (RFC 3550 §6.4.1).
 * @property {number} received Packets.
 * @property {number} lost Packets that never arrived at the caller.
 * @property {number} concealed_ms Sound the caller's jitter buffer had to invent.
 * @property {number} buffered_ms What a packet waited there, mean over the last second.
 */

/**
 * The caller hangs up.
 * @typedef {Object} Bye
 * @property {"bye"} type
 */

/**
 * @typedef {Hello | Mute | Interrupt | Say | Press | Release | Settings | Forget | Ping | Playback | Offer | IceCandidate | UsePath | PathReport | Stats | Bye} ClientMessage
 */

/**
 * One engine, as `/health` has it.
 * @typedef {Object} EngineInfo
 * @property {string} kind
 * @property {string} name
 * @property {string} state
 * @property {string} detail
 */

/**
 * The conversation has begun; sound may flow.
 * @typedef {Object} Welcome
 * @property {"welcome"} type
 * @property {string} session Names the conversation in logs.
 * @property {string} server The server's version.
 * @property {string} transport
 * @property {string[]} voices
 * @property {EngineInfo[]} engines
 * @property {string} about What is speaking, in one honest sentence.
 * @property {string} resume With it in `hello`, another connection goes on with this conversation. Good for one use; empty: none can.
 * @property {number} resume_s A conversation that was left waits so long for its caller.
 * @property {boolean} resumed It goes on: what was said so far follows, as captions and `reply_done`, and then whatever is new.
 * @property {number} protocol
 */

/**
 * A fresh one in place of `Welcome.resume`, long before that expires.
 * @typedef {Object} ResumeToken
 * @property {"resume_token"} type
 * @property {string} token
 */

/**
 * Who has the floor: a `TurnState` value.
 * @typedef {Object} State
 * @property {"state"} type
 * @property {string} state
 * @property {number} turn
 */

/**
 * The caller's words so far; replaces what the turn had before. Final and empty: take them away.
 * @typedef {Object} UserCaption
 * @property {"user_caption"} type
 * @property {number} turn
 * @property {string} text
 * @property {boolean} final
 * @property {string} source
 */

/**
 * A clause of the reply begins to be heard.
 * @typedef {Object} AgentCaption
 * @property {"agent_caption"} type
 * @property {number} turn
 * @property {number} clause
 * @property {string} text
 */

/**
 * A reply is over: what was heard, and what was written and stayed unheard.
 * @typedef {Object} ReplyDone
 * @property {"reply_done"} type
 * @property {number} turn
 * @property {string} heard
 * @property {string} unheard
 * @property {boolean} cut
 */

/**
 * One named part of a turn's latency.
 * @typedef {Object} TimingPart
 * @property {string} name "end silence", "words", "first clause", "first sound", "playout".
 * @property {number} start_ms From the caller's last sample of speech, as it arrived at the server.
 * @property {number} end_ms
 */

/**
 * Where a turn's milliseconds went, from the last sample of speech to the first frame sent.
 * @typedef {Object} TurnTiming
 * @property {"turn_timing"} type
 * @property {number} turn
 * @property {number} total_ms
 * @property {number} endpoint_ms The end silence that was configured.
 * @property {boolean} speculative The reply was begun before the turn had ended.
 * @property {TimingPart[]} parts
 */

/**
 * What the language model read and wrote for a reply; only of models that run beside the server.
 * @typedef {Object} ReplyRead
 * @property {"reply_read"} type
 * @property {number} turn
 * @property {number} prompt_tokens Of the whole conversation.
 * @property {number} reused_tokens Of those, read before the turn had ended.
 * @property {number} new_tokens Of the reply.
 * @property {number} read_ms To hear and read what was new, before the first word.
 */

/**
 * What was said before this message is no longer known here: neither its words nor its sound.
 * @typedef {Object} Forgotten
 * @property {"forgotten"} type
 */

/**
 * Something the caller should know, in plain words; the conversation goes on.
 * @typedef {Object} Notice
 * @property {"notice"} type
 * @property {string} code "engine_failed", "timer".
 * @property {string} text
 */

/**
 * A message was not understood; it had no effect and the connection stays.
 * @typedef {Object} Error
 * @property {"error"} type
 * @property {string} code "not_json", "unknown_type", "bad_message", "bad_sound", "not_begun", "bad_offer", "no_path", "no_codec", "other_version" (of the protocol; no conversation can begin).
 * @property {string} text
 */

/**
 * Drop all sound that is not audible yet; what comes after this message is new.
 * @typedef {Object} Flush
 * @property {"flush"} type
 */

/**
 * @typedef {Object} Pong
 * @property {"pong"} type
 * @property {number} id
 */

/**
 * The server's half of a WebRTC path, with all its candidates.
 * @typedef {Object} Answer
 * @property {"answer"} type
 * @property {string} sdp
 */

/**
 * The WebRTC path did not come about, or is over; sound goes over the WebSocket.
 * @typedef {Object} PathLost
 * @property {"path_lost"} type
 * @property {string} text
 */

/**
 * Last message: the conversation ends for this reason.
 * @typedef {Object} Closing
 * @property {"closing"} type
 * @property {string} reason
 * @property {string} text
 * @property {number | null} [retry_after_s] Worth trying again after so many seconds.
 */

/**
 * @typedef {Welcome | ResumeToken | State | UserCaption | AgentCaption | ReplyDone | TurnTiming | ReplyRead | Forgotten | Notice | Error | Flush | Pong | Answer | PathLost | Closing} ServerMessage
 */
