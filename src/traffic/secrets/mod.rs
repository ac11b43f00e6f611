//! Masks secrets before any observer sees them.

mod body;
mod head;
mod json;
mod query;
mod text;

pub(crate) use crate::base::secret_name::is_secret_field;
pub(crate) use body::BodyMask;
pub(crate) use head::HeadMask;
#[cfg(feature = "tap")]
pub(crate) use head::mask_target;

/// Returns whether a value was masked: its last word consists of `*` only.
pub(crate) fn is_covered(value: &[u8]) -> bool {
    let word = value.trim_ascii_end().rsplit(|b| matches!(b, b' ' | b'\t')).next();
    word.is_some_and(|word| !word.is_empty() && word.iter().all(|&b| b == b'*'))
}
