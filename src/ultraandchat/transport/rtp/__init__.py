"""The media path of WebRTC: RTP in and out of 20 ms frames, without aiortc's threads and buffers."""
