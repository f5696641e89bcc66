//! One file an output.

pub(crate) mod json;
