//! Unpredictable tokens.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Returns 128 unpredictable bits in hexadecimal: the system's randomness keys a new hasher.
pub fn random_token() -> String {
    let bits = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", bits(), bits())
}
