//! Containment: a library that takes bytes on trust runs so that its panic costs one result, not the program.
//!
//! Used around parsers of others that are known to panic on bytes made to mislead (Parquet, unified log chunks). What ran
//! contained must not be used again after a panic: nobody knows in which state it is.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counts down again however the run ends.
struct Entered;

impl Entered {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Runs a library on hostile bytes. `None` means it panicked.
pub fn contain<T>(run: impl FnOnce() -> T) -> Option<T> {
    let _entered = Entered::enter();
    catch_unwind(AssertUnwindSafe(run)).ok()
}

/// Whether this thread is inside of [`contain`]: a panic here becomes an error of its own, so a program's panic hook need
/// not speak of it.
#[must_use]
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_costs_one_result() {
        assert_eq!(contain(|| 7), Some(7));
        assert!(!is_contained());
        let inner = contain(|| {
            assert!(is_contained());
            let lost: Option<u8> = contain(|| panic!("as libraries do"));
            (lost, is_contained())
        });
        assert_eq!(inner, Some((None, true)));
        assert!(!is_contained());
    }
}
