//! The wire format of protobuf, as far as Santa uses it: fields one after the other, within bounds.

/// One field as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    /// A variable-length number.
    Number(u64),
    /// Bytes: a text, bytes or a message.
    Bytes(&'a [u8]),
    /// A fixed-length number, which no field that is used here has.
    Fixed,
}

/// Fields of one message. Ends early, with `broken` set, where the bytes are no message.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    /// The bytes were no message.
    pub(super) broken: bool,
}

impl<'a> Fields<'a> {
    /// Fields of these bytes.
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, broken: false }
    }

    fn field(&mut self) -> Option<(u32, Wire<'a>)> {
        let tag = self.number()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((number, wire))
    }

    fn number(&mut self) -> Option<u64> {
        let (number, length) = variable_number(self.rest)?;
        self.take(length)?;
        Some(number)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Wire<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.broken {
            return None;
        }
        let field = self.field();
        self.broken = field.is_none();
        field
    }
}

/// A variable-length number at the beginning of `bytes`, and its length. `None` if it is cut or longer than ten bytes.
pub(super) fn variable_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_documented_examples() {
        // The encoding guide's examples: field 1 = 150, field 2 = "testing".
        let bytes = [0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67];
        let fields: Vec<_> = Fields::of(&bytes).collect();
        assert_eq!(fields, [(1, Wire::Number(150)), (2, Wire::Bytes(b"testing"))]);
    }

    #[test]
    fn what_is_cut_is_broken() {
        for bytes in [&[0x08][..], &[0x12, 0x07, 0x74], &[0x0b], &[0x00, 0x01], &[0x08, 0xff, 0xff]] {
            let mut fields = Fields::of(bytes);
            assert_eq!(fields.by_ref().count(), 0, "{bytes:?}");
            assert!(fields.broken, "{bytes:?}");
        }
    }
}
