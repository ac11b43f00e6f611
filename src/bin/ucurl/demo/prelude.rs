//! Names that most files of the demonstration use: errors, JSON and a few of std.

pub use super::errors::*;
pub use super::json::*;
pub use std::io::{self, Write};
pub use std::sync::{Arc, Mutex};
pub use std::time::{Duration, SystemTime, UNIX_EPOCH};
pub use unix_http::base::sync::lock;
pub use unix_http::base::time::rfc3339;
pub use unix_http::json::Value;
