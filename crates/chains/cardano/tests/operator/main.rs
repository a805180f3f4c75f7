//! What operators watch, held against real registrations, recorded certificates and Mithril's own library.
#![allow(clippy::panic, clippy::unwrap_used)]

mod adoption;
mod certificates;
mod kes;
mod reader;
mod runtime;
