//! Watching eras: what an operator is told, how long is left, and what runs before an edge.
//!
//! What each file holds:
//!
//! - `event`: [`EraEvent`], one line each: what is the matter and what to do;
//! - `left`: how far an edge is, in its own unit and, where the pace of the chain is known, in time;
//! - `ladder`: at which distances an operator is reminded;
//! - `book`: [`EraBook`], pure: what a reading means, told once;
//! - `state`: what the book remembers across a restart;
//! - `hook`, `watch`: [`EraWatch`], which reads, tells, stores, and runs the hook.

mod book;
mod event;
mod hook;
mod ladder;
mod left;
mod state;
mod watch;

pub use book::EraBook;
pub use event::{EraEvent, Severity};
pub use hook::{EdgeAhead, EraHook, HookLead};
pub use left::{EraLeft, EraPace};
pub use state::{EraBookState, HookRecord, HookStage, ToldEdge};
pub use watch::{EraListener, EraStore, EraWatch, EraWatchOptions};
