"""ICE over TCP (RFC 6544): packets of WebRTC where no UDP comes through."""
