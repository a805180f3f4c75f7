//! Panics planted on purpose, which show that a target reaches the depths of what it fuzzes.

/// Panics if `condition` holds, in a build with the feature `planted`; else does nothing.
///
/// Each target has one, on an input as rare as the bugs it looks for: deep inside, behind its checks.
macro_rules! plant {
    ($condition:expr) => {
        if cfg!(feature = "planted") && $condition {
            panic!("planted on purpose");
        }
    };
}

pub(crate) use plant;
