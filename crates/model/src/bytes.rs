//! Byte counts that say what they are worth: only a measured zero is a zero.

use serde::{Deserialize, Serialize};

/// How a byte count came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteQuality {
    /// The sensor counted all bytes of this direction.
    Measured,
    /// The sensor counted some; there may be more.
    Partial,
    /// The source has such a field, but nobody recorded a value here.
    #[default]
    Absent,
    /// The source cannot know this count at all.
    NotApplicable,
}

/// Which bytes were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ByteLayer {
    /// Transport payload: what TCP or UDP carried, TLS included.
    #[default]
    Payload,
    /// IP packets with their headers.
    Ip,
    /// Whole frames with link headers.
    Frame,
    /// The body of an HTTP message, without its header.
    Body,
    /// HTTP header and body together.
    Message,
}

/// A number of bytes with its quality and layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ByteCount {
    /// Bytes. `None` means nobody recorded it.
    pub value: Option<u64>,
    /// What the value is worth.
    pub quality: ByteQuality,
    /// What was counted.
    pub layer: ByteLayer,
}

impl ByteCount {
    /// A complete count.
    #[must_use]
    pub const fn measured(value: u64, layer: ByteLayer) -> Self {
        Self { value: Some(value), quality: ByteQuality::Measured, layer }
    }

    /// A count of a part: there may be more.
    #[must_use]
    pub const fn partial(value: u64, layer: ByteLayer) -> Self {
        Self { value: Some(value), quality: ByteQuality::Partial, layer }
    }

    /// Nobody recorded it.
    #[must_use]
    pub const fn absent(layer: ByteLayer) -> Self {
        Self { value: None, quality: ByteQuality::Absent, layer }
    }

    /// The source cannot know it.
    #[must_use]
    pub const fn not_applicable(layer: ByteLayer) -> Self {
        Self { value: None, quality: ByteQuality::NotApplicable, layer }
    }

    /// Bytes, if all of them were counted.
    #[must_use]
    pub const fn measured_value(&self) -> Option<u64> {
        match self.quality {
            ByteQuality::Measured => self.value,
            ByteQuality::Partial | ByteQuality::Absent | ByteQuality::NotApplicable => None,
        }
    }

    /// Whether the sensor proved that nothing was carried.
    #[must_use]
    pub const fn is_measured_zero(&self) -> bool {
        matches!(self.measured_value(), Some(0))
    }

    /// Whether at least one byte was seen: a partial count proves presence as well as a full one.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        match (self.quality, self.value) {
            (ByteQuality::Measured | ByteQuality::Partial, Some(value)) => value > 0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_measured_zero_is_a_zero() {
        assert!(ByteCount::measured(0, ByteLayer::Payload).is_measured_zero());
        assert!(!ByteCount::partial(0, ByteLayer::Payload).is_measured_zero());
        assert!(!ByteCount::absent(ByteLayer::Payload).is_measured_zero());
        assert!(!ByteCount::not_applicable(ByteLayer::Body).is_measured_zero());
    }

    #[test]
    fn presence_needs_one_byte_and_no_completeness() {
        assert!(ByteCount::partial(1, ByteLayer::Ip).is_positive());
        assert!(!ByteCount::partial(0, ByteLayer::Ip).is_positive());
        assert!(!ByteCount { value: Some(9), quality: ByteQuality::Absent, layer: ByteLayer::Ip }.is_positive());
    }
}
