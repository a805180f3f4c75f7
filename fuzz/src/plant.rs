//! Panics planted on purpose, which show that a target reaches the depths of what it fuzzes.

/// Panics if all conditions hold, in a build with the feature `planted`; else does nothing.
///
/// Each target has one, on an input as rare as the bugs it looks for: deep inside, behind its checks. Every condition is
/// a branch of its own, so that guided search sees how many of them an input meets.
macro_rules! plant {
    (@) => {
        panic!("planted on purpose")
    };
    (@ $first:expr $(, $more:expr)*) => {
        if core::hint::black_box($first) {
            $crate::plant::plant!(@ $($more),*);
        }
    };
    ($first:expr $(, $more:expr)* $(,)?) => {
        if cfg!(feature = "planted") && core::hint::black_box($first) {
            $crate::plant::plant!(@ $($more),*);
        }
    };
}

pub(crate) use plant;
