//! The house rules, checked on the sources: which layer may use which, no circles between files,
//! one name for one type, one place for one idea, how large anything may be; and the index of the
//! tests is complete.
//!
//! What does not keep a rule yet stands in a list at the top of that rule's file. A list may only
//! shrink: a new entry fails, and so does an entry that is no longer needed.

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
