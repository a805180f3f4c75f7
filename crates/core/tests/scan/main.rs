//! The scanner's promises S-1 to S-10, each held against thousands of seeded plays on a simulated chain.

#![allow(clippy::unwrap_used, clippy::panic)]

mod branches;
mod edge;
mod evidence;
mod finality;
mod kind;
mod memory;
mod order;
mod play;
mod reach;
mod replay;
mod requests;
mod restart;
mod scope;
