//! LZF, the compression of PCD files (M. Lehmann's liblzf): literals and references to earlier
//! output.

/// The largest number of output bytes for each input byte: a reference of three bytes gives 264.
const MAX_RATIO: usize = 88;

/// Expands `input` to exactly `size` bytes.
///
/// # Errors
/// Returns what is wrong: another number of bytes, a reference to a place before the start, or an
/// input that ends within an item.
pub(super) fn expand(input: &[u8], size: usize) -> Result<Vec<u8>, String> {
    if size > input.len().saturating_mul(MAX_RATIO) {
        return Err(format!("{} compressed bytes cannot expand to {size}", input.len()));
    }
    let short = || "its compressed data ends too early".to_owned();
    let long = |seen: usize| format!("its compressed data expands to {seen} bytes, not {size}");
    let mut output = Vec::with_capacity(size);
    let mut rest = input;
    while let Some((control, after)) = rest.split_first() {
        let control = usize::from(*control);
        rest = after;
        if control < 32 {
            let literals = rest.get(..=control).ok_or_else(short)?;
            output.extend(literals);
            rest = &rest[control + 1..];
        } else {
            let mut length = control >> 5;
            if length == 7 {
                let (more, after) = rest.split_first().ok_or_else(short)?;
                length += usize::from(*more);
                rest = after;
            }
            let (low, after) = rest.split_first().ok_or_else(short)?;
            rest = after;
            let back = ((control & 31) << 8 | usize::from(*low)) + 1;
            let start = output
                .len()
                .checked_sub(back)
                .ok_or_else(|| format!("byte {} refers to {back} bytes before it", output.len()))?;
            // The reference may overlap its own output.
            for place in start..start + length + 2 {
                output.push(output[place]);
            }
        }
        if output.len() > size {
            return Err(long(output.len()));
        }
    }
    match output.len() == size {
        true => Ok(output),
        false => Err(long(output.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_references_expand() {
        // "abc", then 5 bytes from 3 back, then 9 + 2 bytes of the last one.
        let input = [2, b'a', b'b', b'c', 3 << 5, 2, 7 << 5, 2, 0];
        assert_eq!(expand(&input, 19).unwrap(), b"abcabcabbbbbbbbbbbb");
        assert_eq!(expand(&[], 0).unwrap(), b"");
    }

    #[test]
    fn damaged_data_is_refused() {
        for (input, size, reason) in [
            (&[2, b'a', b'b'][..], 3, "ends too early"),
            (&[0, b'a', 1 << 5], 4, "ends too early"),
            (&[0, b'a', 7 << 5], 4, "ends too early"),
            (&[0, b'a', 1 << 5, 1], 4, "refers to 2 bytes before"),
            (&[0, b'a'], 2, "expands to 1 bytes, not 2"),
            (&[1, b'a', b'b'], 1, "expands to 2 bytes"),
            (&[0, b'a'], usize::MAX, "cannot expand"),
        ] {
            let error = expand(input, size).unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }
}
