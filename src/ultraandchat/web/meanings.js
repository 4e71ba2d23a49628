/** What each name in the details means, in a line. */

/** Of a turn's time. @type {Record<string, string>} */
export const PARTS = {
  "end silence": "Waiting to be sure that you had finished.",
  words: "Working out which words you said.",
  "first clause": "Finding the first words of the answer.",
  "first sound": "Turning those words into a voice.",
  playout: "Handing the first sound to the network.",
  network: "One way there and one way back, as measured last; not part of the sum above.",
  buffer: "What this browser keeps in store so that late sound does not break off; not part of the sum above.",
};

/** Of all turns of a conversation. @type {Record<string, string>} */
export const COMPARED = {
  p50: "Half of the answers came within this time.",
  p95: "Of 20 answers 19 came within this time.",
};

/** Of the connection. @type {Record<string, string>} */
export const CONNECTION = {
  "Path of the sound": "How sound travels between this page and the server: UDP is the quickest, a WebSocket the most compatible.",
  "Connected in": "From the first attempt until sound came through.",
  Because: "Why sound does not go over WebRTC.",
  "Round trip": "How long a packet takes to the server and back.",
  Jitter: "How unevenly packets arrive; the more, the more sound has to be kept in store.",
  "Sound in store": "Sound that has arrived and waits for its turn, so that late packets do not break it off.",
  "Times it ran dry": "How often the store was empty while the agent spoke: each time a short gap.",
  "Packets lost to here": "Of the agent's sound: packets that never arrived. Each holds 20 ms.",
  "Packets lost from here": "Of your voice: packets that never arrived at the server, as it reports.",
  "Filled in": "Sound that this browser invented in the last second, and in all, for packets that were late or lost.",
  Tried: "A way for the sound that was attempted and did not work.",
  "No UDP": "Why this server has no WebRTC over UDP.",
  "No TCP": "Why this server has no WebRTC over TCP.",
  "No relay": "Why this server has no relay for networks that let nothing else through.",
};

/** Of the engines and their machine. @type {Record<string, string>} */
export const ENGINES = {
  Load: "How long it took to be ready, once it was started.",
  Memory: "Main memory of its own process; those that live in the server's process have none of their own.",
  GPU: "Memory of its process on the GPU, as the driver tells.",
  Restarts: "How often its process ended and was started anew.",
  Guard: "What the guard of the voice noticed since the start: how often it cut a clause or had it spoken again, and why.",
  "GPU in all": "Memory of the first GPU that all processes use, and how busy it was just now.",
  Server: "Its version, and since when it runs.",
  Conversations: "How many go on at this server now.",
};
