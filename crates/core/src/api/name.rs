//! Words that must not be taken for one another: each is a type of its own.

use core::borrow::Borrow;
use core::fmt;
use std::borrow::Cow;

/// Defines a word: a short text that is compared as it is.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// Makes the name from a word of this build.
            #[must_use]
            pub const fn of(word: &'static str) -> Self {
                Self(Cow::Borrowed(word))
            }

            /// Makes the name from a word that was read; whoever reads it bounds its length.
            #[must_use]
            pub fn new(word: impl Into<String>) -> Self {
                Self(Cow::Owned(word.into()))
            }

            /// Returns the word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word! {
    /// Names one thing that this build can do with a node, such as `raw-blocks`.
    AbilityName
}

word! {
    /// Names an API that has versions of its own, such as `mithril`.
    ApiName
}

word! {
    /// Names a kind of node program by the lower-case word that its chain crate gives it, such as `litecoin-core`.
    ClientKind
}

word! {
    /// Names a method, route or query as the node knows it, such as `getblock`.
    MethodName
}
