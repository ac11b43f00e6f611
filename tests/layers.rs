//! Checks of the sources: which layer may use which, no circles between files, one name for one
//! type, one place for one idea, limits of size, and a complete index of the tests.
//!
//! Each rule has a list of exceptions at the top of its file. A list may only shrink: a new
//! exception fails the test, and so does an entry that is no longer needed.

mod layers {
    mod arrows;
    mod circles;
    mod index;
    mod known;
    mod names;
    mod one_place;
    mod paths;
    mod sizes;
    mod source;
}
