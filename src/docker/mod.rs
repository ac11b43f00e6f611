//! What Docker adds to HTTP.
mod demux;
mod frames;

pub use demux::{Copied, Demux, DemuxError};
pub use frames::{
    DAEMON_ERROR_LIMIT, FRAME_HEADER_LEN, FrameDecoder, FrameError, OutputKind, Stream, encode_error_frame,
    encode_frame, frame_header,
};
