//! What schedules, checker and stamp promise, held against cases, seeded plays, and the rule of Mithril's own nodes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod checker;
mod demo;
mod fixture;
mod golden;
mod play;
mod schedule;
mod upstream;
mod world;
