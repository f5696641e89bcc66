//! stub
/// Stub.
pub fn threshold(_p: &[f64], _r: f64) -> Option<f64> {
    None
}
