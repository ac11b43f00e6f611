//! For a flag that is misspelt: the one that was meant, perhaps.

use crate::args::flags::{self, Flag};
use unix_http::base::nearest::nearest;

/// The flag that a misspelt name was probably meant to be.
pub fn flag(name: &[u8]) -> Option<Flag> {
    let known = || flags::all().filter(|flag| !flag.is_out());
    let meant = nearest(str::from_utf8(name).ok()?, known().map(|flag| flag.long()))?;
    known().find(|flag| flag.long() == meant)
}
