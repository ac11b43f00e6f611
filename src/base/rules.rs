//! Tables of rules: what a message or a text may break, in words, with the section that says so.

/// Declares an enum of rules: each has a name, a text of a few words, and its section.
macro_rules! rules {
    ($(#[$doc:meta])* $rules:ident $($name:ident $text:literal $section:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $rules { $($name,)* }

        impl $rules {
            /// Describes the violation in a few words.
            pub fn text(self) -> &'static str {
                match self { $($rules::$name => $text,)* }
            }

            /// Returns the section that states the rule.
            pub fn section(self) -> &'static str {
                match self { $($rules::$name => $section,)* }
            }
        }
    };
}

pub(crate) use rules;
