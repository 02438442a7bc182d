//! Channels, handshake, errors and codes.
