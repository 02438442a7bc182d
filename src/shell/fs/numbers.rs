//! Pure. Numbers as Java reads them, and what it says when they are none.

use super::Failure;

/// A number of 32 bits.
pub(super) fn int(text: &str) -> Result<i64, Failure> {
    text.parse::<i32>().map(i64::from).map_err(|_| not_a_number(text, ""))
}

/// A number of 64 bits.
pub(super) fn long(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| not_a_number(text, ""))
}

/// Permission bits in octal.
pub(super) fn mode(text: &str) -> Result<u16, Failure> {
    let number = i32::from_str_radix(text, 8).map_err(|_| not_a_number(text, " under radix 8"))?;
    let bits = i16::try_from(number).map_err(|_| out_of_range(text))?;
    match u16::try_from(bits) {
        Ok(bits) if bits <= 0o777 => Ok(bits),
        // Compatible: not with 1.2.0, which takes bits that mean nothing, and with them the sticky bit for no effect.
        _ => Err(Failure::of(format!("{text} is not a mode: three octal digits, as 755"))),
    }
}

// Compatible: 1.2.0 lets Java's NumberFormatException escape; tests/shell, 06-cat-tail, 12-chmod-chown-chgrp, 15-ttl.
fn not_a_number(text: &str, radix: &str) -> Failure {
    Failure::thrown(
        format!("java.lang.NumberFormatException: For input string: \"{text}\"{radix}"),
        &format!("{text} is not a number that the command takes."),
    )
}

// Compatible: as above; tests/shell, 22-unrecorded.
fn out_of_range(text: &str) -> Failure {
    Failure::thrown(
        format!("java.lang.NumberFormatException: Value out of range. Value:\"{text}\" Radix:8"),
        &format!("{text} is not a mode: three octal digits, as 755."),
    )
}

#[cfg(test)]
mod tests {
    use super::{int, long, mode};

    #[test]
    fn numbers_are_those_of_java() {
        assert_eq!((int("+5").unwrap(), int("-5").unwrap(), long("9223372036854775807").unwrap()), (5, -5, i64::MAX));
        assert_eq!((mode("0644").unwrap(), mode("755").unwrap()), (0o644, 0o755));
        let refused = |failure: super::Failure| failure.text;
        let text = |number: &str| format!("java.lang.NumberFormatException: For input string: \"{number}\"");
        assert_eq!(int("2147483648").map_err(refused), Err(text("2147483648")));
        assert_eq!(long("abc").map_err(refused), Err(text("abc")));
        assert_eq!(mode("u+x").map_err(refused), Err(text("u+x") + " under radix 8"));
        assert!(mode("-1").is_err() && mode("1777").is_err());
    }
}
